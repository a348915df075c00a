import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { block, wall } from "./words";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

interface Series {
  code: string;
  name: string;
  values: number[];
}
interface Charts {
  slots: string[];
  daily: boolean;
  cases: Series[];
  observations: Series[];
}

const data = block<Charts>("charts");
const made: echarts.ECharts[] = [];
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const SEVERITY: Record<string, string> = { critical: "--critical", high: "--high-mark", medium: "--medium-mark", low: "--low-mark" };
const SERIES = ["#0f6e84", "#5fa8b8", "#c98a3c", "#7a8f4b", "#8a6fa8", "#9aa7b0"];

function base(slots: string[], daily: boolean): Record<string, unknown> {
  const two = (n: number): string => String(n).padStart(2, "0");
  const words = slots.map((slot) => {
    const at = wall(new Date(slot));
    return daily ? `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}` : `${two(at.getUTCHours())}:00`;
  });
  const axis = { axisLabel: { color: colour("--faint") }, axisLine: { lineStyle: { color: colour("--line") } } };
  return {
    animation: false,
    textStyle: { fontFamily: "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif" },
    grid: { left: 38, right: 10, top: 36, bottom: 24 },
    legend: { top: 0, left: 0, textStyle: { color: colour("--muted") }, itemWidth: 12, itemHeight: 10, icon: "roundRect" },
    tooltip: { trigger: "axis", backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--text") } },
    xAxis: { type: "category", data: words, ...axis, axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, ...axis, splitLine: { lineStyle: { color: colour("--line") } } },
  };
}

function draw(): void {
  if (!data) return;
  while (made.length) made.pop()?.dispose();
  for (const home of document.querySelectorAll<HTMLElement>("[data-chart]")) {
    const chart = echarts.init(home, undefined, { renderer: "svg" });
    const stacked = home.dataset.chart === "cases";
    const series = (stacked ? data.cases : data.observations).map((row, index) => ({
      name: row.name,
      type: stacked ? "bar" : "line",
      stack: stacked ? "cases" : undefined,
      data: row.values,
      symbol: "none",
      smooth: 0.25,
      barMaxWidth: 22,
      color: stacked ? colour(SEVERITY[row.code]) : SERIES[index % SERIES.length],
      areaStyle: stacked ? undefined : { opacity: 0.08 },
    }));
    chart.setOption({ ...base(data.slots, data.daily), series });
    made.push(chart);
  }
}

draw();
addEventListener("resize", () => made.forEach((chart) => chart.resize()));
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
