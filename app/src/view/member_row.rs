//! One row of the list.

use leptos::prelude::*;

use super::reactive::{TextContent, first_words};
use crate::{
    presence::PresenceState,
    state::row::Row,
    text::{
        avatar::{initials, tint_class},
        texts::Text,
    },
};

/// The row of one person. It changes in place, and only when this person's data does.
///
/// One effect renders all of it: with one for each part, hydrating a list of 200 is a long task. And it
/// reads one signal, which is dropped with the row: a longer-lived signal would keep an entry for each row
/// that ever read it.
pub(crate) fn member_row(is_you: bool, row: ArcRwSignal<Row>) -> impl IntoView {
    move || {
        let Row { user, namesake, place, since } = row.get();
        let name = user.name.to_string();
        let initials = initials(&name);
        let place = |read: fn((usize, usize)) -> usize| place.map(|place| read(place).to_string());
        let namesake = namesake.map(|number| ["(", &number.to_string(), ")"].concat());
        let is_first = namesake.is_none();
        view! {
            <li
                class=if is_you { "row is-you" } else { "row" }
                data-user-id=user.id.to_string()
                aria-posinset=place(|(number, _)| number)
                aria-setsize=place(|(_, total)| total)
                data-state=user.state.as_str()
            >
                <span
                    class=tint_class(&user.id)
                    aria-hidden="true"
                    translate="no"
                    prop:textContent=TextContent(initials.clone())
                >
                    {first_words(&initials)}
                </span>
                <span class="who" translate="no" title=name.clone()>
                    <bdi class="user-name" prop:textContent=TextContent(name.clone())>
                        {first_words(&name)}
                    </bdi>
                    " "
                    <span class="namesake" hidden=is_first>
                        {namesake.unwrap_or_default()}
                    </span>
                    " "
                    <span class="you" hidden=!is_you>
                        {Text::You.get()}
                    </span>
                </span>
                " "
                <span class="only-heard" hidden=user.state != PresenceState::Here>
                    {Text::HereSince.get()}
                </span>
                " "
                <span class="since" prop:textContent=TextContent(since.clone())>
                    {first_words(&since)}
                </span>
            </li>
        }
    }
}
