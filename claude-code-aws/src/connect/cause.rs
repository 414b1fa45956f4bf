//! Connection causes: why no connection was made, read from an error's chain of sources, with host, proxy and what to do.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, GiveUp, ProviderError};
use rustls::{AlertDescription, CertificateError};

use super::endpoints::HostScope;

/// How long a connection that may come back is retried.
const WINDOW: Duration = Duration::from_secs(30);
/// The same on this machine: what listens there answers at once.
const WINDOW_LOOPBACK: Duration = Duration::from_secs(3);
/// Attempts at what will not change by itself.
const PERMANENT_ATTEMPTS: usize = 2;

/// Why no connection was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The certificate's issuer is not among the roots.
    UnknownCa,
    /// Expired, or not valid yet: the server's certificate or this machine's clock.
    CertificateDates,
    /// The certificate is for other names.
    CertificateName,
    /// A CA's own certificate as a server's: self-signed by an appliance.
    SelfSigned,
    /// The certificate is refused for another reason.
    Certificate(String),
    /// No TLS version or cipher in common.
    TlsVersion,
    /// The peer does not speak TLS.
    NotTls,
    /// The peer ended the handshake with this alert.
    TlsAlert(String),
    /// The proxy wants a name and password, or refuses those given.
    ProxyAuth,
    /// The proxy answers CONNECT with this status.
    ProxyStatus(u16),
    /// The proxy refuses the tunnel without a readable status.
    ProxyRefused,
    /// The proxy closed the connection.
    ProxyClosed,
    /// DNS: there is no such name.
    NoSuchHost,
    /// DNS: no answer now (SERVFAIL, no server reached).
    DnsFailed,
    /// Nothing listens there.
    Refused,
    /// No route to the host or network.
    NoRoute,
    /// The connection was reset or closed before it was ready.
    Reset,
    /// No answer to the attempt to connect.
    Silent,
    /// Settings that cannot be used: a proxy's URL, a CA bundle.
    Settings(String),
    /// Anything else.
    Other,
}

/// A request for which no connection was made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.line())]
pub(crate) struct Unreachable {
    pub(crate) cause: Cause,
    /// The host as dialled, with its port where that is not the scheme's own.
    pub(crate) host: String,
    /// The proxy in use, without its password.
    pub(crate) proxy: Option<String>,
    pub(crate) is_loopback: bool,
}

impl Cause {
    /// The cause of a failure to connect. None: a connection was made, and failed later.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Option<Cause> {
        let mut text = String::new();
        let (mut tls, mut kind) = (None, None);
        for source in sources(error) {
            text.push_str(&source.to_string().to_lowercase());
            text.push('\n');
            if let Some(found) = source.downcast_ref::<rustls::Error>() {
                tls = Some(of_tls(found));
            }
            if let Some(found) = source.downcast_ref::<io::Error>() {
                kind = Some(found.kind());
            }
        }
        let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
        if !says(&[
            "(connect)",
            "tunnel error",
            "dns error",
            "tcp connect",
            "connect timeout",
            "tls handshake",
            "error trying to connect",
        ]) && tls.is_none()
        {
            return None;
        }
        Some(match kind {
            _ if says(&["proxy authorization required"]) => Cause::ProxyAuth,
            _ if says(&["tunnel error: unsuccessful", "proxy response headers too long"]) => {
                Cause::ProxyRefused
            }
            _ if says(&["tunnel error: unexpected end", "tunnel error: io error"]) => Cause::ProxyClosed,
            _ if tls.is_some() => tls.unwrap_or(Cause::Other),
            _ if says(&["failed to lookup", "dns error"]) => of_dns(&text),
            Some(io::ErrorKind::ConnectionRefused) => Cause::Refused,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => Cause::NoRoute,
            Some(io::ErrorKind::TimedOut) => Cause::Silent,
            _ if says(&["connect timeout", "timed out"]) => Cause::Silent,
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe,
            ) => Cause::Reset,
            _ => Cause::Other,
        })
    }

    /// Whether trying again cannot help before somebody has changed something.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Cause::ProxyStatus(status) => (400..500).contains(status) && !matches!(status, 408 | 429),
            Cause::TlsAlert(_) | Cause::ProxyRefused | Cause::ProxyClosed => false,
            Cause::DnsFailed
            | Cause::Refused
            | Cause::NoRoute
            | Cause::Reset
            | Cause::Silent
            | Cause::Other => false,
            _ => true,
        }
    }
}

/// An error and its sources. An [`io::Error`] is asked for what it wraps, which its own `source` passes over.
pub(crate) fn sources<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn StdError + 'static) = *error;
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}

fn of_tls(error: &rustls::Error) -> Cause {
    match error {
        rustls::Error::InvalidCertificate(refused) => match refused {
            CertificateError::UnknownIssuer => Cause::UnknownCa,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Cause::CertificateDates,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Cause::CertificateName
            }
            // webpki has a name for it that rustls passes on as another error's.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => Cause::SelfSigned,
            other => Cause::Certificate(other.to_string()),
        },
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => Cause::TlsVersion,
        rustls::Error::InvalidMessage(_) => Cause::NotTls,
        rustls::Error::AlertReceived(alert) => Cause::TlsAlert(format!("{alert:?}")),
        _ => Cause::Other,
    }
}

/// The resolver's verdict exists in words only: glibc, musl, macOS, Windows.
fn of_dns(text: &str) -> Cause {
    let unknown = [
        "name or service not known",
        "name does not resolve",
        "nodename nor servname",
        "no address associated",
        "no such host is known",
    ];
    if unknown.iter().any(|sign| text.contains(sign)) { Cause::NoSuchHost } else { Cause::DnsFailed }
}

impl Unreachable {
    /// How long it is worth trying again.
    pub(crate) fn give_up(&self) -> GiveUp {
        match (self.cause.is_permanent(), self.is_loopback) {
            (true, _) => GiveUp::Attempts(PERMANENT_ATTEMPTS),
            (false, true) => GiveUp::After(WINDOW_LOOPBACK),
            (false, false) => GiveUp::After(WINDOW),
        }
    }

    /// As a provider's fault: nothing was sent, so nothing was paid for.
    pub(crate) fn fault(&self) -> ProviderError {
        if let Cause::Settings(_) = self.cause {
            return ProviderError::new(ErrorKind::InvalidRequest, Billing::No, self.line());
        }
        let fault = ProviderError::new(ErrorKind::Connection, Billing::No, self.line());
        ProviderError { give_up: Some(self.give_up()), ..fault }
    }

    /// One line: what failed, where, through which proxy, what to do.
    pub(crate) fn line(&self) -> String {
        let Unreachable { cause, host, .. } = self;
        let proxy = self.proxy.as_deref().unwrap_or("the proxy");
        let via = self.proxy.as_ref().map_or_else(String::new, |proxy| format!(" (through {proxy})"));
        match cause {
            Cause::Settings(line) => line.clone(),
            Cause::UnknownCa => format!(
                "the certificate of {host} is signed by a CA that this machine does not know{via}: a proxy that inspects \
                 TLS has its own; set AWS_CA_BUNDLE to the PEM file of that CA"
            ),
            Cause::CertificateDates => format!(
                "the certificate of {host} has expired or is not valid yet{via}: check this machine's clock, then the server's \
                 certificate"
            ),
            Cause::CertificateName => format!(
                "the certificate of {host} is for other names{via}: check the endpoint's URL, and the proxy or DNS in between"
            ),
            Cause::SelfSigned => format!(
                "the certificate of {host} is self-signed and marked as a CA's own{via}: no client can take it for a server's; \
                 have it reissued by your organisation's CA, and set AWS_CA_BUNDLE to that one"
            ),
            Cause::Certificate(why) => {
                format!(
                    "the certificate of {host} was refused{via} ({why}): renew it, or check the proxy in between"
                )
            }
            Cause::TlsVersion => format!(
                "{host} has no TLS version or cipher in common with this client{via}: it must offer TLS 1.2 or 1.3"
            ),
            Cause::NotTls => {
                format!("{host} answered without TLS{via}: check port and scheme of the endpoint or proxy")
            }
            Cause::TlsAlert(alert) => {
                format!("{host} ended the TLS handshake{via} ({alert}): check its TLS settings")
            }
            Cause::ProxyAuth => format!(
                "{proxy} wants a user name and password for {host} (407): set them in HTTPS_PROXY=http://user:password@host:port"
            ),
            Cause::ProxyStatus(status) => {
                format!("{proxy} refuses {host} ({status}): have it allowed there, or name it in NO_PROXY")
            }
            Cause::ProxyRefused => {
                format!("{proxy} refuses {host}: have it allowed there, or name it in NO_PROXY")
            }
            Cause::ProxyClosed => {
                format!("{proxy} closed the connection on the way to {host}: check HTTPS_PROXY")
            }
            Cause::NoSuchHost => format!(
                "the name {} does not exist in DNS: check {}",
                self.looked_up(),
                if self.proxy.is_some() {
                    "HTTPS_PROXY"
                } else {
                    "region, endpoint and spelling, or set HTTPS_PROXY"
                }
            ),
            Cause::DnsFailed => format!(
                "the name {} could not be looked up: check the network and its DNS servers",
                self.looked_up()
            ),
            Cause::Refused => format!(
                "{} refused the connection: nothing listens there; check host and port",
                self.dialled()
            ),
            Cause::NoRoute => format!("there is no route to {}: check network and VPN", self.dialled()),
            Cause::Reset => format!(
                "the connection to {host} was closed before it was ready{via}: a firewall may forbid it; check network and proxy"
            ),
            Cause::Silent => format!(
                "{} does not answer: a firewall may drop the connection; check network, or set HTTPS_PROXY",
                self.dialled()
            ),
            Cause::Other => format!("{host} could not be reached{via}: check region, network and any proxy"),
        }
    }

    /// What was dialled: the proxy, where there is one.
    fn dialled(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{proxy} (the proxy for {})", self.host),
            None => self.host.clone(),
        }
    }

    fn looked_up(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("of {proxy}"),
            None => self.host.clone(),
        }
    }
}

/// Whether the host of a request is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    HostScope::of(host) == HostScope::Loopback
}

/// The named cause in an error's chain, where the transport put one.
pub(crate) fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Unreachable> {
    sources(error).find_map(|source| source.downcast_ref::<Unreachable>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolvers_words_tell_a_name_that_is_not_there_from_a_server_that_does_not_answer() {
        let lookup = |text: &str| of_dns(&format!("dns error\nfailed to lookup address information: {text}"));
        assert_eq!(lookup("name or service not known"), Cause::NoSuchHost);
        assert_eq!(lookup("nodename nor servname provided, or not known"), Cause::NoSuchHost);
        assert_eq!(lookup("temporary failure in name resolution"), Cause::DnsFailed);
    }

    /// How long a connection that fails for this cause is tried again.
    fn bound(cause: Cause, is_loopback: bool) -> Option<GiveUp> {
        Unreachable { cause, host: "api.lab.test".to_owned(), proxy: None, is_loopback }.fault().give_up
    }

    #[test]
    fn what_does_not_change_by_itself_gets_two_attempts_wherever_it_is() {
        for cause in [
            Cause::UnknownCa,
            Cause::CertificateDates,
            Cause::CertificateName,
            Cause::SelfSigned,
            Cause::TlsVersion,
            Cause::NotTls,
            Cause::ProxyAuth,
            Cause::ProxyStatus(403),
            Cause::NoSuchHost,
        ] {
            for is_loopback in [false, true] {
                assert_eq!(bound(cause.clone(), is_loopback), Some(GiveUp::Attempts(2)), "{cause:?}");
            }
        }
    }

    #[test]
    fn what_may_come_back_is_tried_for_thirty_seconds_and_for_three_on_this_machine() {
        for cause in [
            Cause::DnsFailed,
            Cause::Refused,
            Cause::NoRoute,
            Cause::Reset,
            Cause::Silent,
            Cause::ProxyClosed,
            Cause::ProxyStatus(429),
            Cause::ProxyStatus(503),
            Cause::Other,
        ] {
            for (is_loopback, seconds) in [(false, 30), (true, 3)] {
                let window = GiveUp::After(Duration::from_secs(seconds));
                assert_eq!(bound(cause.clone(), is_loopback), Some(window), "{cause:?}");
            }
        }
    }

    #[test]
    fn an_error_after_the_connection_was_made_has_no_connection_cause() {
        let broken = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer");
        assert_eq!(Cause::of(&broken), None);
    }
}
