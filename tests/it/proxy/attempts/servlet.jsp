<%@ page contentType="application/json; charset=utf-8" trimDirectiveWhitespaces="true" session="false" %><%!
  // What a servlet reads of a request; which one takes it, the container says by its name.
  static String quoted(String text) {
    if (text == null) return "null";
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) quoted.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
    return quoted.append('"').toString();
  }
%><%
  String info = request.getPathInfo();
  String path = request.getServletPath() + (info == null ? "" : info);
  String role = null;
  if (request.getCookies() != null)
    for (jakarta.servlet.http.Cookie cookie : request.getCookies()) if (cookie.getName().equals("role")) role = cookie.getValue();
  String[] queries = request.getParameterValues("role");
  String query = queries == null ? null : String.join(",", queries);
  out.print("{\"route\":" + quoted(config.getServletName()) + ",\"path\":" + quoted(path) + ",\"header\":" + quoted(request.getHeader("X-Role"))
    + ",\"query\":" + quoted(query) + ",\"cookie\":" + quoted(role) + "}");
%>
