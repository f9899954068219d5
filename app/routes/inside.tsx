import { Outlet } from "@remix-run/react";

export { InsideError as ErrorBoundary } from "../components/inside-error.tsx";

/** What stands beside the rooms. An error in it leaves them, and the connection with all that waits for it, as they are. */
export default function Inside() {
	return <Outlet />;
}
