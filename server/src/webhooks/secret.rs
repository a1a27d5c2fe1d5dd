//! Signs messages as Standard Webhooks 1.0 says.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// How many bytes a secret may have, as the specification demands.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The secret that the receiver has as well.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(secret)")
    }
}

/// The text is no secret. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is {PREFIX} and 24 to 64 random bytes in base64: `echo {PREFIX}$(head -c 32 /dev/urandom | base64)` makes one"
)]
pub struct ParseSecretError;

impl FromStr for WebhookSecret {
    type Err = ParseSecretError;

    fn from_str(text: &str) -> Result<Self, ParseSecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(ParseSecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| ParseSecretError)?;
        if !LENGTHS.contains(&key.len()) || crate::identity::key_pattern::is_patterned(&key) {
            return Err(ParseSecretError);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| ParseSecretError)
    }
}

impl WebhookSecret {
    /// The value of the header `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn signature_is_that_of_other_implementations() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{secret:?}").contains("MfKQ"));
    }

    #[test]
    fn secret_has_24_to_64_random_bytes() {
        let random: Vec<u8> =
            (0..65_u8).map(|byte| byte.wrapping_mul(byte).wrapping_mul(37)).collect();
        let text = |length: usize| format!("{PREFIX}{}", STANDARD.encode(&random[..length]));
        for length in [24, 32, 64] {
            assert!(text(length).parse::<WebhookSecret>().is_ok(), "{length}");
        }
        for text in [
            &*text(23),
            &text(65),
            text(32).trim_start_matches(PREFIX),
            "whsec_",
            "whsec_not base64",
            &format!("{PREFIX}{}", STANDARD.encode([7; 32])),
        ] {
            assert_eq!(text.parse::<WebhookSecret>().unwrap_err(), ParseSecretError, "{text}");
        }
    }
}
