import { lambda, readTraceparent, type Tools } from "../runtime/index.ts";
import { type ApiPorts, answer } from "./api.ts";
import { openDynamo, openDynamoKeys, openDynamoStore } from "./dynamo-store.ts";
import { headersOf, type ProxyAnswer, type ProxyEvent, readEvent, toProxyAnswer } from "./event.ts";
import { Problem, problems } from "./problem.ts";
import { openShop, type ShopTrace } from "./shop.ts";
import type { Store } from "./store.ts";

/** AWS's own errors of the moment: worth trying again. */
const passing = new Set([
	"ProvisionedThroughputExceededException",
	"ThrottlingException",
	"RequestLimitExceeded",
	"InternalServerError",
	"TimeoutError",
	"ServiceUnavailable",
]);

/** Made once for each copy of the function, in the start AWS gives it. */
function openPorts(env: NodeJS.ProcessEnv): Omit<ApiPorts, "report" | "shop"> & { store: Store } {
	const { ITEMS_TABLE: itemsTable, CARTS_TABLE: cartsTable } = env;
	if (!itemsTable || !cartsTable) throw new Error("ITEMS_TABLE and CARTS_TABLE are not set");
	const client = openDynamo();
	return {
		store: openDynamoStore({ client, itemsTable, cartsTable }),
		findKey: openDynamoKeys({ client, cartsTable }).find,
		isOpen: env.SHOP_OPEN === "on",
		// Behind API Gateway there is no cookie and no laptop to protect.
		isOwnOrigin: () => true,
		isUnavailable: (error) => {
			const { name, code } = (error ?? {}) as { name?: string; code?: string };
			return passing.has(name ?? "") || ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND"].includes(code ?? "");
		},
	};
}

const { store, ...ports } = openPorts(process.env);

/** ShoppinAPI behind API Gateway, proxy events of both versions. */
export const handler = lambda<ProxyEvent, ProxyAnswer>(
	{ name: "shop", trigger: "http", parent: (event) => headersOf(event).traceparent },
	async (event, tools) => {
		const request = readEvent(event, "");
		if (!request) {
			tools.outcome("refused", "malformed-json");
			const problem = new Problem("malformed-json");
			return {
				statusCode: problems[problem.code].status,
				headers: {},
				body: `{"error":{"code":"${problem.code}"}}\n`,
				isBase64Encoded: false,
			};
		}
		let unexpected: unknown = null;
		const answered = await answer(
			{
				...ports,
				shop: openShop({ store, trace: traceOf(tools) }),
				report: (error) => {
					unexpected = error;
				},
			},
			request,
		);
		if (unexpected !== null) tools.failed(unexpected);
		else if (answered.code !== null) tools.outcome(answered.status >= 500 ? "failed" : "refused", answered.code);
		tools.set({
			"http.request.method": methods.has(request.method) ? request.method : "_OTHER",
			"http.route": answered.route,
			"http.response.status_code": answered.status,
		});
		return toProxyAnswer(answered);
	},
);

const methods = new Set(["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]);

/** The call's own span: what is ordered keeps it, and it is linked to the imports the items are from. */
const traceOf = (tools: Tools): ShopTrace => ({
	// One nobody will look at leads nowhere.
	here: () => (tools.traceparent.endsWith("-01") ? tools.traceparent : null),
	link(causes) {
		for (const cause of causes.map(readTraceparent)) if (cause) tools.link(cause);
	},
});
