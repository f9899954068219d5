import { Form, useNavigation } from "@remix-run/react";
import { limits } from "../contract/limits.ts";
import { useWords } from "../words/use-words.tsx";
import { PageHead } from "./page-head.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** Opens a room: a name, what for, and who may come in. */
export function NewRoom(props: { clientId: string; refusal: RefusalShown | null; values: { name: string; topic: string; kind: string } }) {
	const { clientId, refusal, values } = props;
	const { t } = useWords();
	const isBusy = useNavigation().state === "submitting";
	const field = refusal?.details.field;
	return (
		<div className="page" data-region>
			<PageHead title={t("new.title")} />
			<div className="page-body">
				<p className="quiet">{t("new.note")}</p>
				<Form method="post" className="form">
					<input type="hidden" name="clientId" value={clientId} />
					<div className="form-row">
						<label htmlFor="new-name">{t("new.name")}</label>
						<input
							id="new-name"
							className="field"
							name="name"
							defaultValue={values.name}
							maxLength={limits.roomName * 2}
							required
							dir="auto"
							autoComplete="off"
							aria-invalid={refusal && field !== "topic" ? true : undefined}
							aria-describedby={refusal ? "new-refused" : undefined}
						/>
					</div>
					<div className="form-row">
						<label htmlFor="new-topic">
							{t("new.topic")} <span className="quiet">{t("new.optional")}</span>
						</label>
						<input
							id="new-topic"
							className="field"
							name="topic"
							defaultValue={values.topic}
							maxLength={limits.topic * 2}
							placeholder={t("about.topicHint")}
							dir="auto"
							autoComplete="off"
							aria-invalid={field === "topic" ? true : undefined}
							aria-describedby={refusal ? "new-refused" : undefined}
						/>
					</div>
					<fieldset className="choices">
						<legend>{t("new.kind")}</legend>
						{(["public", "private"] as const).map((kind) => (
							<label key={kind} className="choice">
								<input type="radio" name="kind" value={kind} defaultChecked={(values.kind === "private") === (kind === "private")} />
								<span>
									<strong>{t(`new.${kind}`)}</strong>
									<span className="quiet">{t(`new.${kind}Note`)}</span>
								</span>
							</label>
						))}
					</fieldset>
					<Refused refusal={refusal} id="new-refused" />
					<button type="submit" className="button" disabled={isBusy}>
						{t("new.create")}
					</button>
				</Form>
			</div>
		</div>
	);
}
