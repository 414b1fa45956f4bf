// The page: which view stands at which address. Views are functions of (place, id, signal, query); the signal ends with them.
import { clear, takeToken } from "./api.js";
import { $, say } from "./dom.js";
import { generate, result } from "./generate.js";
import { home } from "./home.js";
import { service } from "./service.js";
import { usage } from "./usage.js";

const VIEWS = { "": home, s: service, r: result, generate, usage };
let ending = new AbortController();

function show() {
  if (takeToken()) clear();
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = path.split("/");
  const known = Object.hasOwn(VIEWS, name) ? name : "";
  ending.abort();
  ending = new AbortController();
  clear();
  say("");
  document.title = "Service creator";
  for (const link of $("nav").querySelectorAll("a")) {
    const here = link.dataset.view.split(" ").includes(known);
    if (here) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const view = $("view");
  view.replaceChildren();
  VIEWS[known](view, id, ending.signal, new URLSearchParams(query));
}

$("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  const again = $("door").again;
  clear();
  if (again) again(); else show();
});
$("cancel").addEventListener("click", clear);
$("skip").addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
window.addEventListener("hashchange", show);
show();
