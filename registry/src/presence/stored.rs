//! How moments, names and maps are written in commands and snapshots, where serde alone would lose or refuse
//! something.

/// A duration as whole milliseconds: the engine's clock has no finer ones.
pub(super) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::presence) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }

    pub(in crate::presence) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// The same if there is one.
pub(super) mod some_milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Milliseconds(#[serde(with = "super::milliseconds")] Duration);

    #[expect(clippy::ref_option, reason = "serde calls it with a reference")]
    pub(in crate::presence) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(Milliseconds).serialize(serializer)
    }

    pub(in crate::presence) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let duration = Option::deserialize(deserializer)?;
        Ok(duration.map(|Milliseconds(duration)| duration))
    }
}

/// A name with its skeleton, which a name alone is written without. A server that reads the name must not
/// compute it anew: another version of Unicode's tables may give another one.
pub(super) mod whole_name {
    use app::presence::Name;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct WholeName<N, S> {
        text: N,
        #[serde(default = "none", skip_serializing_if = "Option::is_none")]
        skeleton: Option<S>,
    }

    fn none<S>() -> Option<S> {
        None
    }

    pub(in crate::presence) fn serialize<S: Serializer>(
        name: &Name,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        WholeName { text: name, skeleton: name.skeleton() }.serialize(serializer)
    }

    pub(in crate::presence) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Name, D::Error> {
        let WholeName::<Name, String> { text, skeleton } = WholeName::deserialize(deserializer)?;
        Ok(text.with_skeleton(skeleton.as_deref()))
    }
}

/// A map whose keys are no texts, as a list of pairs.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::presence) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(in crate::presence) fn deserialize<'de, K, V, D>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::deserialize(deserializer).map(BTreeMap::from_iter)
    }
}
