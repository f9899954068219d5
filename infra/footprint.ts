import { readFileSync } from "node:fs";
import { App, type AppProps } from "aws-cdk-lib";
import type { StageConfig } from "./config.ts";
import { checkRules } from "./nag.ts";
import { ApiStack } from "./stacks/api.ts";
import { DataStack } from "./stacks/data.ts";
import { DeliveryStack } from "./stacks/delivery.ts";
import { EdgeStack } from "./stacks/edge.ts";
import { NetworkStack } from "./stacks/network.ts";
import { ObserveStack } from "./stacks/observe.ts";
import { WebStack } from "./stacks/web.ts";

export type Footprint = ReturnType<typeof buildFootprint>;

const { context: flags } = JSON.parse(readFileSync(new URL("cdk.json", import.meta.url), "utf8")) as { context: Record<string, unknown> };

/**
 * Every stack of one stage, in the order they stand in. `bundle: false` leaves the functions' bundles out: templates are the same
 * but for the hash of their code, and nothing must be deployed from them.
 */
export function buildFootprint(config: StageConfig, options: { outdir?: string; bundle?: boolean } = {}) {
	const props: AppProps = {
		outdir: options.outdir,
		analyticsReporting: false,
		// As the command has them from cdk.json, so that it makes no difference who asks.
		context: { ...flags, ...(options.bundle === false ? { "aws:cdk:bundling-stacks": [] } : {}) },
	};
	const app = new App(props);
	const network = new NetworkStack(app, config);
	const data = new DataStack(app, config, network);
	const web = new WebStack(app, config, network, data);
	const api = new ApiStack(app, config, data);
	const edge = new EdgeStack(app, config, data, web);
	const observe = new ObserveStack(app, config, { data, web, api, edge });
	const delivery = new DeliveryStack(app, config, { data, web, edge, observe });
	const rules = checkRules(app);
	return { app, rules, network, data, web, api, edge, observe, delivery };
}

/** The parts, in the order they are deployed. */
export const parts = ["network", "data", "web", "api", "edge", "observe", "delivery"] as const;
export type Part = (typeof parts)[number];
