import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

interface Row {
  code: string;
  name: string;
  first: number[];
  second: number[];
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Two days hour by hour: the sums in a table, the chosen line as bars over each other. */
export class Days {
  private rows: Row[] = [];
  private chart: echarts.ECharts | null = null;
  private chosen = "doors";
  private names: [string, string] = ["", ""];
  private hour = -1;

  constructor(private root: HTMLElement, private url: string) {
    addEventListener("resize", () => this.chart?.resize());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  async load(first: string, second: string): Promise<void> {
    this.names = [first, second];
    const answer = await fetch(`${this.url}&day=${first}&with=${second}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.rows = ((await answer.json()) as { rows: Row[] }).rows;
    this.table();
    this.draw();
  }

  private table(): void {
    (this.root.querySelector("[data-first-day]") as HTMLElement).textContent = this.names[0].slice(5);
    (this.root.querySelector("[data-second-day]") as HTMLElement).textContent = this.names[1].slice(5);
    const body = this.root.querySelector(".days-table tbody") as HTMLElement;
    body.replaceChildren(
      ...this.rows.map((row) => {
        const line = document.createElement("tr");
        const name = document.createElement("td");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = row.name;
        button.setAttribute("aria-pressed", String(row.code === this.chosen));
        button.addEventListener("click", () => {
          this.chosen = row.code;
          this.table();
          this.draw();
        });
        name.append(button);
        line.append(name, number(total(row.first)), number(total(row.second)));
        return line;
      }),
    );
  }

  /** Mark the hour that the clock shows. */
  at(hour: number): void {
    if (hour === this.hour) return;
    this.hour = hour;
    this.draw();
  }

  private draw(): void {
    const row = this.rows.find((one) => one.code === this.chosen);
    const home = this.root.querySelector<HTMLElement>("[data-days-chart]");
    if (!row || !home || !home.clientWidth) return;
    this.chart ??= echarts.init(home, undefined, { renderer: "svg" });
    const bars = (name: string, values: number[], fill: string, edge: string, z: number) => ({
      name, type: "bar", data: values.map((value, hour) => ({ value, itemStyle: hour === this.hour ? { borderColor: colour("--text"), borderWidth: 2 } : {} })),
      barGap: "-100%", barWidth: "70%", z, itemStyle: { color: fill, borderColor: edge, borderWidth: 1.5 },
    });
    this.chart.setOption({
      animation: false,
      grid: { left: 40, right: 6, top: 30, bottom: 22 },
      legend: { top: 0, left: 0, textStyle: { color: colour("--muted") }, itemWidth: 12, itemHeight: 10 },
      tooltip: { trigger: "axis", backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--text") } },
      xAxis: { type: "category", data: Array.from({ length: 24 }, (_, hour) => String(hour)), axisLabel: { color: colour("--faint") }, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line") } } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: colour("--faint") }, splitLine: { lineStyle: { color: colour("--line") } } },
      series: [bars(this.names[0], row.first, colour("--bar"), colour("--bar"), 2), bars(this.names[1], row.second, "transparent", colour("--high-mark"), 3)],
    }, true);
  }
}

function number(value: number): HTMLElement {
  const cell = document.createElement("td");
  cell.className = "num";
  cell.textContent = value.toLocaleString();
  return cell;
}
