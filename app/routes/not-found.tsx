import { data, type LoaderFunctionArgs } from "@remix-run/node";

export function loader({ context }: LoaderFunctionArgs) {
	throw data({ code: "not-found", reference: context.requestId }, { status: 404 });
}

/** A form posted to an address that does not exist. */
export const action = loader;

export default function NotFound() {
	return null;
}
