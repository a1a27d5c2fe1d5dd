//! One fault after the other, and the sentence that names it.

use app::presence::{
    DepartureReason, Difference, Epoch, Name, PresenceState, Refusal, RefusalCode, Renamed,
    Resumed, ServerEvent, User,
};

use super::history::{
    Event, History, HistoryBuilder, first_violation, frame, id_of, position, rows,
};
use crate::oracle::truth::ChangeKind;

const ANA: usize = 0;
const BO: usize = 1;
const CY: usize = 2;
const DI: usize = 3;
const LEFT: ChangeKind = ChangeKind::Departed(DepartureReason::Left);
const AWAY: ChangeKind = ChangeKind::Became(PresenceState::Away);

/// Three people come (3), one is away (4), one comes and one leaves (6). Two clients are told at each point;
/// the third gets the list in the end, in two frames.
fn valid_history() -> History {
    let mut history = HistoryBuilder::new(2);
    for person in [ANA, BO, CY] {
        history.change(person, ChangeKind::Joined);
    }
    history.send_all();
    history.change(BO, AWAY);
    history.send_all();
    history.change(DI, ChangeKind::Joined);
    history.change(ANA, LEFT);
    history.send_all();
    history.add_client(2);
    history.end()
}

fn difference(history: &mut History, client: usize, number: usize) -> &mut Difference {
    match frame(history, client, number) {
        ServerEvent::Changes(changes) => &mut changes.difference,
        other => panic!("{other:?} is no difference"),
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// What is done to the true story, and what the judge is to say.
type Fault = (&'static str, fn(&mut History), &'static str);

/// The frames of client 1 are 0: an empty list, 1: three come, 2: Bo is away, 3: Di comes and Ana leaves,
/// 4: a beat; those of client 2 are 0: two rows, 1: the third, 2: a beat.
const FAULTS: &[Fault] = &[
    (
        "another's name",
        |history| rows(history, 1, 1)[0].name = name("Bo"),
        "client 1: Bo has the id person---00, which is not theirs: Ana",
    ),
    (
        "a stranger's name",
        |history| rows(history, 1, 1)[0].name = name("Zoe"),
        "client 1: nobody is called \"Zoe\"",
    ),
    (
        "another's id",
        |history| rows(history, 1, 1)[0].id = id_of(BO),
        "client 1: Ana has the id person---01, which is not theirs: Bo",
    ),
    (
        "a state that nobody had",
        |history| rows(history, 1, 1)[2].state = PresenceState::Reconnecting,
        "client 1: between 0 and 3 nobody made this happen to Cy",
    ),
    (
        "a state that is not so yet, in a list",
        |history| rows(history, 2, 0)[0].state = PresenceState::Here,
        "client 2: two lists at 6 differ: row 0 is Bo (away, since 1795000002) in one and \
         Bo (here, since 1795000002) in the other",
    ),
    (
        "another time of joining",
        |history| rows(history, 1, 1)[1].joined += 1,
        "client 1: two lists at 3 differ: row 1 is Bo (here, since 1795000002) in one and \
         Bo (here, since 1795000003) in the other",
    ),
    (
        "a lost row",
        |history| drop(rows(history, 1, 1).remove(1)),
        "client 1: two lists at 3 differ: row 1 is Bo (here, since 1795000002) in one and \
         Cy (here, since 1795000003) in the other",
    ),
    (
        "a row that is twice in a difference",
        |history| {
            let rows = rows(history, 1, 1);
            rows.push(rows[1].clone());
        },
        "client 1: Bo comes and was there",
    ),
    (
        "a row that is twice in a list",
        |history| {
            let bo = rows(history, 2, 0)[0].clone();
            rows(history, 2, 1)[0] = bo;
        },
        "client 2: Bo is twice in a list",
    ),
    (
        "someone in a list who never came",
        |history| {
            let row = &mut rows(history, 2, 1)[0];
            (row.id, row.name) = (id_of(4), name("Eve"));
        },
        "client 2: between 0 and 6 nobody made this happen to Eve",
    ),
    (
        "rows in another order",
        |history| rows(history, 1, 1).swap(0, 2),
        "client 1: two lists at 3 differ: row 0 is Ana (here, since 1795000001) in one and \
         Cy (here, since 1795000003) in the other",
    ),
    (
        "a lost frame",
        |history| {
            let lost = position(history, 1, 2);
            history.events.remove(lost);
        },
        "client 1: a difference from 4 to 6 comes to a list at 3",
    ),
    (
        "a frame that comes twice",
        |history| {
            let position = position(history, 1, 2);
            history.events.insert(position, history.events[position].clone());
        },
        "client 1: a difference from 3 to 4 comes to a list at 4",
    ),
    (
        "a state that is told twice",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(BO)),
        "client 1: Bo becomes away and was so before",
    ),
    (
        "a state of someone who is not there",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(ANA)),
        "client 1: Ana changes and is not there",
    ),
    (
        "a state that nobody took",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(CY)),
        "client 1: between 4 and 6 nobody made this happen to Cy",
    ),
    (
        "a leave of someone who is not listed",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(ANA)),
        "client 1: Ana goes and was not there",
    ),
    (
        "a leave of a stranger",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(4)),
        "client 1: nobody has the id person---04",
    ),
    (
        "a leave that nobody made",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(CY)),
        "client 1: between 4 and 6 nobody made this happen to Cy",
    ),
    (
        "a leave that is kept back",
        |history| difference(history, 1, 3).disconnect_user.left.clear(),
        "client 1: two lists at 6 differ: row 0 is Bo (away, since 1795000002) in one and \
         Ana (here, since 1795000001) in the other",
    ),
    (
        "a leave for another reason",
        |history| {
            let gone = &mut difference(history, 1, 3).disconnect_user;
            gone.lost = std::mem::take(&mut gone.left);
        },
        "client 1: between 4 and 6 nobody made this happen to Ana",
    ),
    (
        "a list that is cut short",
        |history| history.events.truncate(position(history, 2, 1)),
        "client 2: of 3 rows only 2 have come",
    ),
    (
        "a piece of a list that is lost",
        |history| {
            let lost = position(history, 2, 1);
            history.events.remove(lost);
        },
        "client 2: a beat comes in the middle of something else",
    ),
    (
        "a list that begins twice",
        |history| {
            let position = position(history, 2, 0);
            history.events.insert(position, history.events[position].clone());
        },
        "client 2: a list begins in the middle of something else",
    ),
    (
        "a list whose beginning is lost",
        |history| {
            let lost = position(history, 2, 0);
            history.events.remove(lost);
        },
        "client 2: rows come where no list was begun",
    ),
    (
        "a list with more rows than it counts",
        |history| {
            rows(history, 2, 1).push(User {
                id: id_of(ANA),
                name: name("Ana"),
                joined: 1,
                state: PresenceState::Here,
            });
        },
        "client 2: a list of 3 rows has 4",
    ),
    (
        "a difference where there is no list",
        |history| {
            let lost = position(history, 1, 0);
            history.events.remove(lost);
        },
        "client 1: a difference comes to one who has no list",
    ),
    (
        "a list that is older than the last",
        |history| {
            let list = frame(history, 1, 0).clone();
            *frame(history, 1, 3) = list;
        },
        "client 1: a list at 4 is replaced by an older one at 0",
    ),
    (
        "another epoch",
        |history| {
            let difference = std::mem::take(difference(history, 1, 3));
            let epoch: Epoch = "e2".parse().unwrap();
            *frame(history, 1, 3) = ServerEvent::Resumed(Resumed {
                epoch,
                from: 4,
                seq: 6,
                you: None,
                now: 0,
                difference,
            });
        },
        "client 1: a list goes on in another epoch",
    ),
    (
        "a beat of another point",
        |history| {
            let ServerEvent::Beat(beat) = frame(history, 1, 4) else { return };
            beat.seq = 7;
        },
        "client 1: a beat speaks of 7 to a list at 6",
    ),
    (
        "a beat that counts other rows",
        |history| {
            let ServerEvent::Beat(beat) = frame(history, 1, 4) else { return };
            beat.count = 4;
        },
        "client 1: a beat counts 4 rows where 3 came",
    ),
    (
        "a refusal",
        |history| {
            let (of, code) = (None, RefusalCode::TooFast);
            let message = "Too many frames.".into();
            *frame(history, 1, 4) = ServerEvent::Refused(Refusal { of, code, message });
        },
        "client 1: refused: Too many frames.",
    ),
    (
        "a rename that nobody asked for",
        |history| {
            let renamed = Renamed { id: id_of(BO), name: name("Bob") };
            difference(history, 1, 3).user_changed.renamed.push(renamed);
        },
        "client 1: person---01 was renamed, and nobody asked for it",
    ),
    ("a client that is told nothing", |history| history.clients += 1, "client 3: no list has come"),
    (
        "a leave that nobody is told of",
        |history| history.events.push(Event::Changed(CY, LEFT)),
        "client 0: Cy is listed and should not be",
    ),
    (
        "a state that nobody is told of",
        |history| history.events.push(Event::Changed(CY, AWAY)),
        "client 0: Cy is here and should be away",
    ),
    (
        "a join that nobody is told of",
        |history| history.events.push(Event::Changed(ANA, ChangeKind::Joined)),
        "client 0: 1 of 4 rows are missing",
    ),
    (
        "a server's own list with a row less",
        |history| drop(history.server_list.pop()),
        "the server lists 2 people and a client 3",
    ),
    (
        "a server's own list in another order",
        |history| history.server_list.swap(0, 1),
        "row 0 is Bo (away, since 1795000002) at a client and Cy (here, since 1795000003) at the server",
    ),
];

#[test]
fn the_story_without_a_fault_is_right() {
    assert_eq!(first_violation(&valid_history()), None);
}

#[test]
fn every_fault_is_named() {
    for (what, plant, sentence) in FAULTS {
        let mut history = valid_history();
        plant(&mut history);
        assert_eq!(first_violation(&history).as_deref(), Some(*sentence), "{what}");
    }
}
