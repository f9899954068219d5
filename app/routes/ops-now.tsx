import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { OpsNow } from "../components/ops/now.tsx";
import { administrator, operators, opsWords } from "./operators.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const ops = await operators(context);
	const shown = ops && { slos: ops.slos(), snapshots: ops.snapshots(), trust: ops.trust(), instance: ops.instance(), peers: ops.peers() };
	return { shown, w: opsWords(request) };
}

/** Raises or lowers the log level; logged as what it is by the switch itself. */
export async function action({ request, context }: ActionFunctionArgs) {
	const [by, ops] = [(await administrator(context)).id, context.ops];
	const form = await request.formData();
	if (form.get("level") === "raise") ops?.raiseLevel(by);
	if (form.get("level") === "lower") ops?.lowerLevel(by);
	throw redirect("/ops");
}

export default function OpsNowPage() {
	const { shown, w } = useLoaderData<typeof loader>();
	return shown && <OpsNow {...shown} w={w} />;
}
