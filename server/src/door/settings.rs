//! The rules of the door as they are set.

use std::time::Duration;

use super::{DoorConfig, Network, Origin, OriginRules, Patience, WithoutOrigin};
use crate::{
    config::value::{Form, Unset, Value},
    limits::Limit,
};

/// How often one address may open a socket; without a burst, or a number for each second, as often as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSockets {
    /// How many at once.
    pub at_once: u32,
    /// How many in each second after that.
    pub each_second: u32,
}

impl Default for DoorConfig {
    /// A school of a thousand behind one address gets in, each with what a page needs.
    fn default() -> Self {
        Self {
            most_connections: Limit::OFF,
            most_connections_of_address: Limit::at_most(8_000),
            most_sockets: Limit::OFF,
            most_sockets_of_address: Limit::at_most(2_000),
            new_sockets_of_address: NewSockets { at_once: 1_000, each_second: 200 },
            most_rooms: Limit::at_most(50_000),
            most_sockets_of_room: Limit::at_most(40_000),
            trusted_proxies: Vec::new(),
            origins: OriginRules::default(),
            patience: Patience {
                request_within: Duration::from_secs(10),
                write_within: Duration::from_secs(10),
            },
        }
    }
}

impl Value for Limit {
    fn form(&self) -> Form {
        Form::Number
    }

    fn placeholder(&self) -> &'static str {
        "NUMBER"
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        let number =
            text.parse().map_err(|_| "a whole number that is not too large; 0 is no limit")?;
        *self = Self::at_most(number);
        Ok(())
    }

    fn written(&self) -> Option<String> {
        Some(self.number().unwrap_or_default().to_string())
    }
}

impl Value for WithoutOrigin {
    fn form(&self) -> Form {
        Form::Switch
    }

    fn placeholder(&self) -> &'static str {
        "true|false"
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        let mut is_required = false;
        is_required.read(text)?;
        *self = if is_required { Self::Refused } else { Self::Allowed };
        Ok(())
    }

    fn written(&self) -> Option<String> {
        Some((*self == Self::Refused).to_string())
    }
}

impl Value for Origin {
    fn form(&self) -> Form {
        Form::Text
    }

    fn placeholder(&self) -> &'static str {
        "https://HOST"
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        *self = text
            .parse()
            .map_err(|_| "https://HOST or http://HOST, with :PORT where it is not the usual one")?;
        Ok(())
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for Network {
    fn form(&self) -> Form {
        Form::Text
    }

    fn placeholder(&self) -> &'static str {
        "NETWORK"
    }

    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        *self = text
            .parse()
            .map_err(|_| "addresses like 10.0.0.7, or networks like 10.0.0.0/8 or fd00::/8")?;
        Ok(())
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Unset for Origin {
    fn unset() -> Self {
        Self::nowhere()
    }
}

impl Unset for Network {
    fn unset() -> Self {
        Self::of_one([127, 0, 0, 1].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reread<Read: Value>(mut value: Read, text: &str) -> Option<String> {
        value.read(text).ok()?;
        value.written()
    }

    #[test]
    fn what_is_set_is_written_as_it_was() {
        assert_eq!(reread(Limit::OFF, "7").unwrap(), "7");
        assert_eq!(reread(Limit::at_most(7), "0").unwrap(), "0");
        assert_eq!(reread(WithoutOrigin::Allowed, "true").unwrap(), "true");
        assert_eq!(reread(WithoutOrigin::Refused, "false").unwrap(), "false");
        assert_eq!(reread(Origin::unset(), "https://a.test").unwrap(), "https://a.test");
        let networks = "10.0.0.0/8,fd00::/8,127.0.0.1";
        assert_eq!(reread(Vec::<Network>::new(), networks).unwrap(), networks);
        for text in ["-1", "many", ""] {
            assert_eq!(reread(Limit::OFF, text), None);
        }
        assert_eq!(reread(Origin::unset(), "a.test"), None);
        assert_eq!(reread(Network::unset(), "10.0.0.0/40"), None);
    }
}
