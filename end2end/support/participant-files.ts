// Participant files as Zoom and Teams write them, of people who don't exist.

export const ZOOM = [
  "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants,",
  '"812 3456 7890","Monday, 9:00","11/30/2026 09:00:01 AM","11/30/2026 09:45:00 AM",t@school.example,45,4,',
  "",
  "Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,Recording Consent",
  '"Zé (José Silva)",,"11/30/2026 09:00:10 AM","11/30/2026 09:44:00 AM",44,Yes,Y',
  "Maria Lopez,m@school.example,11/30/2026 09:01:10 AM,11/30/2026 09:04:00 AM,3,No,Y",
  "Maria Lopez,m@school.example,11/30/2026 09:05:10 AM,11/30/2026 09:44:00 AM,39,No,Y",
  '"Ana Sousa (iPad)",,11/30/2026 09:02:10 AM,11/30/2026 09:44:00 AM,42,Yes,Y',
].join("\r\n");

export const TEAMS = [
  "1. Summary",
  "Meeting title\tMonday, 9:00",
  "Attended participants\t3",
  "Start time\t11/30/26, 9:00:01 AM",
  "",
  "2. Participants",
  "Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole",
  "Maria Lopez\t11/30/26, 9:00:05 AM\t11/30/26, 9:44:00 AM\t43m 55s\tm@school.example\tm@school.example\tOrganizer",
  "José Silva (Guest)\t11/30/26, 9:01:05 AM\t11/30/26, 9:44:00 AM\t42m 55s\t\t\tPresenter",
  "Sousa, Ana\t11/30/26, 9:02:05 AM\t11/30/26, 9:44:00 AM\t41m 55s\ta@school.example\ta@school.example\tAttendee",
  "",
  "3. In-Meeting Activities",
  "Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole",
  "Maria Lopez\t11/30/26, 9:00:05 AM\t11/30/26, 9:44:00 AM\t43m 55s\tm@school.example\tOrganizer",
].join("\r\n");

export const TEAMS_IN_GERMAN = TEAMS.replace("1. Summary", "1. Zusammenfassung")
  .replace("Meeting title", "Besprechungstitel")
  .replace("Attended participants", "Teilnehmer")
  .replace("2. Participants", "2. Teilnehmer")
  .replace("Name\tFirst Join\tLast Leave", "Name\tErster Beitritt\tLetztes Verlassen")
  .replace("(Guest)", "(Gast)")
  .replace("3. In-Meeting Activities", "3. Aktivitäten während der Besprechung");

export const OLD_TEAMS = [
  "Full Name\tUser Action\tTimestamp",
  "Maria Lopez\tJoined\t11/30/2026, 9:00:05 AM",
  "José Silva (Guest)\tJoined\t11/30/2026, 9:01:05 AM",
  "Maria Lopez\tLeft\t11/30/2026, 9:03:05 AM",
  "Sousa, Ana\tJoined before\t11/30/2026, 9:00:00 AM",
].join("\n");

export const OLD_TEAMS_IN_GERMAN = OLD_TEAMS.replace(
  "Full Name\tUser Action\tTimestamp",
  "Vollständiger Name\tBenutzeraktion\tZeitstempel",
);

/** A text as bytes with a byte order mark. */
export function encoded(text: string, encoding: "utf8" | "utf16le"): Buffer {
  return Buffer.from(`\ufeff${text}`, encoding);
}
