// The form of a new task. Without this module it works all the same, a click slower.
import "./choosing.js";
import "./uploads.js";
import { watchEditor } from "./checking.js";
import { givenInputs, wantInputs } from "./rows.js";

for (const each of document.querySelectorAll("[data-scripted]")) each.hidden = false;
for (const each of document.querySelectorAll("[data-unscripted]")) each.hidden = true;
const wanted = (checked) => checked.type && wantInputs(checked.inputs);
if (document.getElementById("editor")) watchEditor({ given: givenInputs, told: wanted });
