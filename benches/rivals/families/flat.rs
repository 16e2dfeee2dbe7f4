//! Locations of one level: each kind by itself, and the mix that gateways have.

use super::policy::{Kind, Location, Policy};
use super::random::Random;

/// Plain prefixes of five segments.
pub(crate) fn prefixes(random: &mut Random, locations: usize) -> Policy {
    of_each(random, locations, |random, index| {
        let prefix = format!("{}r{index}/", random.path(4));
        (Location::new(Kind::Prefix, prefix.clone()), format!("{prefix}{}", random.name()))
    })
}

/// Five segments of which one or two are parameters.
pub(crate) fn templates(random: &mut Random, locations: usize) -> Policy {
    let mut policy = of_each(random, locations, |random, index| {
        let last = format!("r{index}");
        let mut segments = [random.name(), random.name(), random.name(), random.name(), last];
        let template = |segments: &[String]| format!("/{}", segments.join("/"));
        let parameters = [1 + random.below(3), 1 + random.below(3)];
        for parameter in parameters {
            "{}".clone_into(&mut segments[parameter]);
        }
        let location = Location::of_template(template(&segments));
        for parameter in parameters {
            segments[parameter] = random.below(100_000).to_string();
        }
        (location, template(&segments))
    });
    in_order_of_routers(&mut policy.locations);
    policy
}

/// Routers prefer a static segment to a parameter at the first place where two differ; nginx takes the first regex.
pub(super) fn in_order_of_routers(locations: &mut [Location]) {
    let parameters = |location: &Location| -> Vec<bool> {
        location.template.iter().flat_map(|template| template.split('/')).map(|segment| segment == "{}").collect()
    };
    locations.sort_by_cached_key(parameters);
}

/// `~* \.ext$`
pub(crate) fn extensions(random: &mut Random, locations: usize) -> Policy {
    of_each(random, locations, |random, index| {
        let path = format!("{}{}.ext{index}", random.path(4), random.name());
        (Location::new(Kind::CaselessRegex, format!("\\.ext{index}$")), path)
    })
}

/// `~ /part/`
pub(crate) fn substrings(random: &mut Random, locations: usize) -> Policy {
    of_each(random, locations, |random, index| {
        let path = format!("{}part{index}/{}", random.path(4), random.name());
        (Location::new(Kind::Regex, format!("/part{index}/")), path)
    })
}

/// `~ x.*y`
pub(crate) fn gaps(random: &mut Random, locations: usize) -> Policy {
    of_each(random, locations, |random, index| {
        let path = format!("{}from{index}/{}/to{index}/{}", random.path(2), random.name(), random.name());
        (Location::new(Kind::Regex, format!("/from{index}/.*/to{index}/")), path)
    })
}

/// 52 % prefixes, 8 % `^~`, 10 % exact, 30 % regexes.
pub(crate) fn mix(random: &mut Random, locations: usize) -> Policy {
    of_each(random, locations, |random, index| mixed(random, index, "/"))
}

/// The `index`th location of a mix, below the prefix `within`.
pub(super) fn mixed(random: &mut Random, index: usize, within: &str) -> (Location, String) {
    let prefix = format!("{within}{}r{index}/", &random.path(4)[1..]);
    match random.below(100) {
        0..52 => (Location::new(Kind::Prefix, &*prefix), format!("{prefix}{}", random.name())),
        52..60 => (Location::new(Kind::StopPrefix, &*prefix), format!("{prefix}{}", random.name())),
        60..70 => (Location::new(Kind::Exact, &*prefix), prefix),
        70..85 => {
            let path = format!("{prefix}{}/edit", random.below(100_000));
            (Location::new(Kind::Regex, format!("^{prefix}[0-9]+/edit$")), path)
        }
        85..93 => {
            let path = format!("{prefix}{}.x{index}", random.name());
            (Location::new(Kind::Regex, format!("^{prefix}.*\\.x{index}$")), path)
        }
        93..97 => {
            let path = format!("{prefix}{}.ext{index}", random.name());
            (Location::new(Kind::CaselessRegex, format!("\\.ext{index}$")), path)
        }
        _ => {
            let path = format!("{prefix}part{index}/{}", random.name());
            (Location::new(Kind::Regex, format!("/part{index}/")), path)
        }
    }
}

fn of_each(
    random: &mut Random,
    locations: usize,
    mut location: impl FnMut(&mut Random, usize) -> (Location, String),
) -> Policy {
    let located = (0..locations).map(|index| location(random, index)).collect();
    Policy::new(random, located)
}
