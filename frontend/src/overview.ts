import { painted } from "./painted";

// The figures stand in the page already; the charts' program is half a megabyte.
void painted().then(() => import("./overviewcharts"));
