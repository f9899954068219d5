import { type ActionFunctionArgs, redirect } from "@remix-run/node";
import { isLanguage } from "../contract/language.ts";
import { ownPath, themes } from "./preferences.server.ts";

const year = 31_536_000;

/** Remembers language and theme in this browser, and goes back to where the form was. */
export async function action({ request }: ActionFunctionArgs) {
	const form = await request.formData();
	const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
	const headers = new Headers();
	const language = form.get("language");
	if (isLanguage(language)) headers.append("Set-Cookie", `lang=${language}; Path=/; SameSite=Lax; Max-Age=${year}${secure}`);
	const theme = form.get("theme");
	if ((themes as readonly unknown[]).includes(theme))
		headers.append("Set-Cookie", `theme=${theme}; Path=/; SameSite=Lax; Max-Age=${year}${secure}`);
	else if (theme === "system") headers.append("Set-Cookie", `theme=; Path=/; SameSite=Lax; Max-Age=0${secure}`);
	return redirect(ownPath(form.get("from")), { headers });
}

export const loader = () => redirect("/");
