"""The same locations for nginx and for rulec."""

import random

WORDS = ("account admin api archive assets billing cart catalog checkout comments content events export feed files "
         "groups health images inbox items media orders pages photos plans posts products profile queue reports "
         "reviews search sessions settings shop status store tags teams tokens users videos webhooks").split()


PATHS = 512


class Policy:
    """`locations` of one kind in order, and as many `paths` whatever their number, spread over all of them."""

    def __init__(self, kind, count):
        draw = random.Random(5)
        made = [kind(draw, index) for index in range(count)]
        self.locations = [location for location, _ in made]
        self.paths = [made[index * count // PATHS][1]() for index in range(PATHS)]
        draw.shuffle(self.paths)


def prefix(draw, index):
    path = "/" + "/".join(draw.choices(WORDS, k=3)) + f"/r{index}/"
    return path, lambda: path + draw.choice(WORDS)


def regex(draw, index):
    """Of the four shapes that benches/rivals mixes."""
    expression, path = shape(draw, index)
    return f'~ "{expression}"', path


def shape(draw, index):
    prefix = "/" + "/".join(draw.choices(WORDS, k=3)) + f"/r{index}/"
    match draw.randrange(30):
        case shape if shape < 15:
            return f"^{prefix}[0-9]+/edit$", lambda: f"{prefix}{draw.randrange(100_000)}/edit"
        case shape if shape < 23:
            return f"^{prefix}.*\\.x{index}$", lambda: f"{prefix}{draw.choice(WORDS)}.x{index}"
        case shape if shape < 27:
            return f"\\.ext{index}$", lambda: f"{prefix}{draw.choice(WORDS)}.ext{index}"
        case _:
            return f"/part{index}/", lambda: f"{prefix}part{index}/{draw.choice(WORDS)}"
