import type { Language } from "../../contract/language.ts";

/** What the bot says when the API is out of reach, written for Charla. */
export const bundledFacts: Record<Language, readonly string[]> = {
	en: [
		"Chuck Norris reads the last page of the log first. It was waiting for him.",
		"Chuck Norris never polls. Events come to him.",
		"Chuck Norris's messages are delivered before he presses Enter.",
		"When Chuck Norris loses his connection, the network apologises.",
		"Chuck Norris does not scroll to the bottom. The bottom comes up.",
		"Chuck Norris merges to main, and main thanks him.",
		"There are no race conditions around Chuck Norris. Everyone waits.",
		"Chuck Norris's unread count is negative: they have read him.",
		"Chuck Norris can divide a room by zero members and it stays lively.",
		"Chuck Norris once acknowledged a message that had not been written. It was then written.",
		"Time zones are set by where Chuck Norris is.",
		"Chuck Norris's drafts are final.",
	],
	es: [
		"Chuck Norris lee primero la última página del registro. Lo estaba esperando.",
		"Chuck Norris no pregunta si hay novedades. Las novedades le preguntan a él.",
		"Los mensajes de Chuck Norris llegan antes de que pulse Intro.",
		"Cuando Chuck Norris pierde la conexión, la red pide disculpas.",
		"Chuck Norris no baja hasta el final. El final sube.",
		"Chuck Norris integra en main, y main le da las gracias.",
		"Con Chuck Norris no hay condiciones de carrera: todos esperan.",
		"Chuck Norris tiene mensajes sin leer en negativo: ya lo han leído a él.",
		"Chuck Norris confirmó una vez un mensaje que nadie había escrito. Entonces se escribió.",
		"Los husos horarios dependen de dónde esté Chuck Norris.",
		"Los borradores de Chuck Norris son definitivos.",
		"Chuck Norris entiende el plan a la primera, y el plan se siente comprendido.",
	],
};
