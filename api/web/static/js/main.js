// What every page has.
import "./live.js";
import "./forms.js";
import "./keys.js";
import "./times.js";
import "./copying.js";
import "./waiting_count.js";
