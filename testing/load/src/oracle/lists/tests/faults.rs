//! Injected faults, each with the message of its violation.

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

/// Three people join (seq 3), one becomes away (4), one joins and one leaves (6). Two clients receive every
/// change; the third one receives the list at the end, in two frames.
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
        other => panic!("{other:?} is not a difference"),
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A name, the injected fault, and the expected message.
type Fault = (&'static str, fn(&mut History), &'static str);

/// The frames of client 1 are 0: an empty list, 1: three joins, 2: Bo is away, 3: Di joins and Ana leaves,
/// 4: a beat; those of client 2 are 0: two rows, 1: the third row, 2: a beat.
const FAULTS: &[Fault] = &[
    (
        "another's name",
        |history| rows(history, 1, 1)[0].name = name("Bo"),
        "client 1: Bo has the id person---00 of Ana",
    ),
    (
        "an unknown name",
        |history| rows(history, 1, 1)[0].name = name("Zoe"),
        "client 1: no person has the name \"Zoe\"",
    ),
    (
        "another's id",
        |history| rows(history, 1, 1)[0].id = id_of(BO),
        "client 1: Ana has the id person---01 of Bo",
    ),
    (
        "a state that was never recorded",
        |history| rows(history, 1, 1)[2].state = PresenceState::Reconnecting,
        "client 1: no such change of Cy is recorded between 0 and 3",
    ),
    (
        "an older state in a list",
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
        "a row twice in a difference",
        |history| {
            let rows = rows(history, 1, 1);
            rows.push(rows[1].clone());
        },
        "client 1: Bo joined and was already listed",
    ),
    (
        "a row twice in a list",
        |history| {
            let bo = rows(history, 2, 0)[0].clone();
            rows(history, 2, 1)[0] = bo;
        },
        "client 2: Bo is in a list twice",
    ),
    (
        "a person in a list who never joined",
        |history| {
            let row = &mut rows(history, 2, 1)[0];
            (row.id, row.name) = (id_of(4), name("Eve"));
        },
        "client 2: no such change of Eve is recorded between 0 and 6",
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
        "client 1: a difference from 4 to 6 arrived at a list at 3",
    ),
    (
        "a repeated frame",
        |history| {
            let position = position(history, 1, 2);
            history.events.insert(position, history.events[position].clone());
        },
        "client 1: a difference from 3 to 4 arrived at a list at 4",
    ),
    (
        "a repeated state",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(BO)),
        "client 1: Bo became away and already was",
    ),
    (
        "a state of a person who is not listed",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(ANA)),
        "client 1: Ana changed and is not listed",
    ),
    (
        "an unrecorded state",
        |history| difference(history, 1, 3).user_changed.away.push(id_of(CY)),
        "client 1: no such change of Cy is recorded between 4 and 6",
    ),
    (
        "a departure of a person who is not listed",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(ANA)),
        "client 1: Ana departed and was not listed",
    ),
    (
        "a departure of an unknown person",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(4)),
        "client 1: no person has the id person---04",
    ),
    (
        "an unrecorded departure",
        |history| difference(history, 1, 3).disconnect_user.left.push(id_of(CY)),
        "client 1: no such change of Cy is recorded between 4 and 6",
    ),
    (
        "a withheld departure",
        |history| difference(history, 1, 3).disconnect_user.left.clear(),
        "client 1: two lists at 6 differ: row 0 is Bo (away, since 1795000002) in one and \
         Ana (here, since 1795000001) in the other",
    ),
    (
        "a departure for another reason",
        |history| {
            let gone = &mut difference(history, 1, 3).disconnect_user;
            gone.lost = std::mem::take(&mut gone.left);
        },
        "client 1: no such change of Ana is recorded between 4 and 6",
    ),
    (
        "a truncated list",
        |history| history.events.truncate(position(history, 2, 1)),
        "client 2: only 2 of 3 rows were received",
    ),
    (
        "a lost part of a list",
        |history| {
            let lost = position(history, 2, 1);
            history.events.remove(lost);
        },
        "client 2: a beat interrupted a list or a difference",
    ),
    (
        "a list that begins twice",
        |history| {
            let position = position(history, 2, 0);
            history.events.insert(position, history.events[position].clone());
        },
        "client 2: a list interrupted a list or a difference",
    ),
    (
        "a list without its first part",
        |history| {
            let lost = position(history, 2, 0);
            history.events.remove(lost);
        },
        "client 2: rows arrived without a list",
    ),
    (
        "a list with more rows than its count",
        |history| {
            rows(history, 2, 1).push(User {
                id: id_of(ANA),
                name: name("Ana"),
                joined: 1,
                state: PresenceState::Here,
            });
        },
        "client 2: a list of 3 rows received 4",
    ),
    (
        "a difference without a list",
        |history| {
            let lost = position(history, 1, 0);
            history.events.remove(lost);
        },
        "client 1: a difference arrived without a list",
    ),
    (
        "a list that is older than the last one",
        |history| {
            let list = frame(history, 1, 0).clone();
            *frame(history, 1, 3) = list;
        },
        "client 1: a list at 4 was replaced by an older one at 0",
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
        "client 1: a list was resumed in another epoch",
    ),
    (
        "a beat of another position",
        |history| {
            let ServerEvent::Beat(beat) = frame(history, 1, 4) else { return };
            beat.seq = 7;
        },
        "client 1: a beat has seq 7 and the list is at 6",
    ),
    (
        "a beat with another count",
        |history| {
            let ServerEvent::Beat(beat) = frame(history, 1, 4) else { return };
            beat.count = 4;
        },
        "client 1: a beat counts 4 rows and the list has 3",
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
        "a rename without a request",
        |history| {
            let renamed = Renamed { id: id_of(BO), name: name("Bob") };
            difference(history, 1, 3).user_changed.renamed.push(renamed);
        },
        "client 1: person---01 was renamed without a request",
    ),
    ("a client without a frame", |history| history.clients += 1, "client 3: no list was received"),
    (
        "a departure that no client receives",
        |history| history.events.push(Event::Changed(CY, LEFT)),
        "client 0: Cy is listed and should not be",
    ),
    (
        "a state that no client receives",
        |history| history.events.push(Event::Changed(CY, AWAY)),
        "client 0: Cy is here and should be away",
    ),
    (
        "a join that no client receives",
        |history| history.events.push(Event::Changed(ANA, ChangeKind::Joined)),
        "client 0: 1 of 4 rows are missing",
    ),
    (
        "a server's own list without a row",
        |history| drop(history.server_list.pop()),
        "the server lists 2 people and the client 3",
    ),
    (
        "a server's own list in another order",
        |history| history.server_list.swap(0, 1),
        "row 0 is Bo (away, since 1795000002) at the client and Cy (here, since 1795000003) at the server",
    ),
];

#[test]
fn history_without_a_fault_has_no_violation() {
    assert_eq!(first_violation(&valid_history()), None);
}

#[test]
fn faults_are_reported_with_their_messages() {
    for (what, plant, sentence) in FAULTS {
        let mut history = valid_history();
        plant(&mut history);
        assert_eq!(first_violation(&history).as_deref(), Some(*sentence), "{what}");
    }
}
