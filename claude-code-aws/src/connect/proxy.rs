//! Proxy rules: which requests go through an HTTP proxy, as curl and Go read HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and
//! NO_PROXY. Loopback, link-local, container-credential and instance-metadata addresses never do: what is sent there is
//! for this machine alone.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;

/// Instance metadata over IPv6; over IPv4 it is link-local.
const IMDS_V6: [&str; 2] = ["fd00:ec2::254", "fd00:ec2::23"];
/// Variables that name a credential endpoint of this machine or container.
const CREDENTIAL_ENDPOINTS: [&str; 2] =
    ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"];

/// One HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Scheme, host and port.
    pub(crate) uri: Uri,
    /// User name and password, decoded.
    pub(crate) user: Option<(String, String)>,
}

impl Proxy {
    /// Reads a proxy's URL. A bare `host:port` is plain HTTP, as for curl.
    fn parse(variable: &str, value: &str) -> Result<Self, String> {
        let value = value.trim();
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let place = place.split('/').next().unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        if scheme.starts_with("socks") {
            return Err(format!(
                "{variable}={scheme}://{place}: SOCKS proxies are not supported, http:// and https:// ones are: name one, \
                 or run an HTTP proxy in front of it (privoxy, gost)"
            ));
        }
        let port = if scheme == "https" { 443 } else { 80 };
        let authority = match place.parse::<http::uri::Authority>() {
            Ok(authority) if authority.port().is_none() => format!("{place}:{port}"),
            _ => place.to_owned(),
        };
        let uri = format!("{scheme}://{authority}").parse::<Uri>().ok().filter(|uri| {
            matches!(scheme.as_str(), "http" | "https") && uri.host().is_some_and(|host| !host.is_empty())
        });
        let uri = uri.ok_or_else(|| {
            format!("{variable}={scheme}://{place}: this is no proxy; it takes http://host:port or https://host:port")
        })?;
        let user = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(name), decoded(password))
        });
        Ok(Proxy { uri, user })
    }

    /// Host and port to dial.
    pub(crate) fn address(&self) -> (String, u16) {
        let port = self.uri.port_u16().unwrap_or(80);
        (self.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned(), port)
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.uri.scheme_str() == Some("http")
    }
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.uri.authority().map_or("", http::uri::Authority::as_str);
        let scheme = self.uri.scheme_str().unwrap_or("http");
        match &self.user {
            Some((name, _)) => write!(f, "{scheme}://{name}@{place}"),
            None => write!(f, "{scheme}://{place}"),
        }
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Percent-decoding of user names and passwords.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of a user name or password within a URL.
pub(crate) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// One entry of NO_PROXY.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    All,
    Net(IpAddr, u8),
    /// A name or address, alone or with its subdomains, on one port or on all.
    Host {
        name: String,
        subdomains: bool,
        itself: bool,
        port: Option<u16>,
    },
}

impl Exempt {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Exempt::All);
        }
        if let Some((net, bits)) = entry.split_once('/')
            && let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u8>())
        {
            return Some(Exempt::Net(net, bits));
        }
        let (name, port) = with_port(&entry);
        let (name, itself) = match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
            // curl takes the leading dot away; a wildcard is for subdomains alone.
            Some(domain) => (domain, !name.starts_with('*')),
            None => (name, true),
        };
        let name = name.trim_end_matches('.').to_owned();
        let subdomains = name.parse::<IpAddr>().is_err();
        Some(Exempt::Host { name, subdomains, itself, port })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Exempt::All => true,
            Exempt::Net(net, bits) => host.parse().is_ok_and(|address| within(address, *net, *bits)),
            Exempt::Host { name, subdomains, itself, port: only } => {
                let under = || host.strip_suffix(name.as_str()).is_some_and(|head| head.ends_with('.'));
                only.is_none_or(|only| only == port)
                    && ((*itself && host == name) || (*subdomains && under()))
            }
        }
    }
}

/// A name and the port after it, where one is there; IPv6 addresses stand in brackets or have no port.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[') {
        let (name, port) = rest.split_once(']').unwrap_or((rest, ""));
        return (name, port.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, port.parse().ok()),
        _ => (entry, None),
    }
}

fn within(address: IpAddr, net: IpAddr, bits: u8) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width.saturating_sub(u32::from(bits));
        shift >= width || a >> shift == b >> shift
    };
    match (address.to_canonical(), net.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// Addresses that mean this machine or its link, whatever anybody configured.
fn is_local(host: &str) -> bool {
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        Ok(IpAddr::V6(v6)) => {
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || IMDS_V6.iter().any(|known| known.parse() == Ok(v6))
        }
        Err(_) => false,
    }
}

/// The proxies of an environment, and what goes without one.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyRules {
    http: Option<Arc<Proxy>>,
    https: Option<Arc<Proxy>>,
    /// Why a proxy that is set cannot be used.
    wrong: [Option<String>; 2],
    exempt: Vec<Exempt>,
    credentials: BTreeSet<String>,
}

impl ProxyRules {
    /// Reads the variables. The lower-case name wins, as for curl; HTTP_PROXY in capitals is not read under CGI, where a
    /// request's `Proxy:` header sets it.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            let upper = name.to_ascii_uppercase();
            let capital = || match upper == "HTTP_PROXY" && get("REQUEST_METHOD").is_some() {
                true => None,
                false => get(&upper).map(|value| (upper.clone(), value)),
            };
            get(name)
                .map(|value| (name.to_owned(), value))
                .or_else(capital)
                .filter(|(_, value)| !value.trim().is_empty())
        };
        let of = |name: &str| match set(name).or_else(|| set("all_proxy")) {
            None => (None, None),
            Some((variable, value)) => match Proxy::parse(&variable, &value) {
                Ok(proxy) => (Some(Arc::new(proxy)), None),
                Err(why) => (None, Some(why)),
            },
        };
        let ((http, wrong_http), (https, wrong_https)) = (of("http_proxy"), of("https_proxy"));
        let exempt = set("no_proxy").map(|(_, list)| list).unwrap_or_default();
        let exempt = exempt.split([',', ' ', ';']).filter_map(Exempt::parse).collect();
        let endpoint = |name: &&str| get(name)?.parse::<Uri>().ok()?.host().map(bare);
        let credentials = CREDENTIAL_ENDPOINTS.iter().filter_map(endpoint).collect();
        ProxyRules { http, https, wrong: [wrong_http, wrong_https], exempt, credentials }
    }

    /// The proxy that a request to this address takes, if any; an error where one is set that cannot be used.
    pub(crate) fn of(&self, uri: &Uri) -> Result<Option<Arc<Proxy>>, String> {
        let secure = uri.scheme_str() != Some("http");
        let host = bare(uri.host().unwrap_or_default());
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let exempt = || self.exempt.iter().any(|entry| entry.covers(&host, port));
        if is_local(&host) || self.credentials.contains(&host) || exempt() {
            return Ok(None);
        }
        let (proxy, wrong) =
            if secure { (&self.https, &self.wrong[1]) } else { (&self.http, &self.wrong[0]) };
        match wrong {
            Some(why) => Err(why.clone()),
            None => Ok(proxy.clone()),
        }
    }
}

/// A host as rules compare it: lower case, without brackets and final dot.
fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rules(vars: &[(&str, &str)]) -> ProxyRules {
        ProxyRules::read(|name| {
            vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn goes(rules: &ProxyRules, url: &str) -> Option<String> {
        rules.of(&url.parse().unwrap()).unwrap().map(|proxy| proxy.to_string())
    }

    #[test]
    fn each_scheme_has_its_proxy_and_all_proxy_is_for_both() {
        let own = rules(&[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "b:2"), ("ALL_PROXY", "http://c:3")]);
        assert_eq!(goes(&own, "https://x.example").as_deref(), Some("http://a:1"));
        assert_eq!(goes(&own, "http://x.example").as_deref(), Some("http://b:2"));
        let all = rules(&[("all_proxy", "https://c")]);
        assert_eq!(goes(&all, "http://x.example").as_deref(), Some("https://c:443"));
        let cgi = rules(&[("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(goes(&cgi, "http://x.example"), None);
        assert_eq!(goes(&rules(&[("https_proxy", ""), ("HTTPS_PROXY", "")]), "https://x.example"), None);
    }

    #[test]
    fn this_machine_its_link_and_credential_endpoints_are_never_behind_a_proxy() {
        let all = rules(&[
            ("ALL_PROXY", "http://proxy:3128"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://agent.internal/creds"),
        ]);
        for url in [
            "http://127.0.0.1:8000/v1",
            "https://127.9.9.9",
            "http://localhost:1",
            "http://api.localhost",
            "http://[::1]:9",
            "http://169.254.169.254/latest",
            "http://169.254.170.2/v2",
            "http://169.254.170.23/v1",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://[fd00:ec2::23]/v1",
            "http://agent.internal/creds",
        ] {
            assert_eq!(goes(&all, url), None, "{url}");
        }
        assert!(goes(&all, "http://10.0.0.1").is_some() && goes(&all, "https://sts.amazonaws.com").is_some());
    }

    #[test]
    fn no_proxy_is_read_as_curl_and_go_read_it() {
        let list = ".corp.example, *.wild.example,10.0.0.0/8;exact.example host.example:8443 [2001:db8::1] 2001:db9::/32";
        let some = rules(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", list)]);
        let direct = [
            "https://a.corp.example",
            "https://corp.example",
            "https://a.b.wild.example",
            "http://10.200.3.4",
            "https://exact.example",
            "https://sub.exact.example",
            "https://EXACT.example.",
            "https://host.example:8443",
            "https://[2001:db8::1]",
            "https://[2001:db9::7]",
        ];
        let proxied = [
            "https://wild.example",
            "https://notcorp.example",
            "https://exact.example.org",
            "https://host.example",
            "http://11.0.0.1",
            "https://[2001:dba::1]",
        ];
        for url in direct {
            assert_eq!(goes(&some, url), None, "{url}");
        }
        for url in proxied {
            assert!(goes(&some, url).is_some(), "{url}");
        }
        let listed = |list, url| goes(&rules(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", list)]), url);
        // A star is for addresses too (reqwest#2579), and a name is no end of another one (requests#4795).
        assert_eq!((listed("*", "https://any.example"), listed("*", "http://10.0.0.1:80")), (None, None));
        assert!(listed("gle.com", "https://google.com").is_some());
    }

    #[test]
    fn what_is_no_http_proxy_is_said_with_what_is_and_without_its_password() {
        for value in
            ["socks5://user:canary@10.0.0.1:1080", "socks5h://user:canary@x", "ftp://user:canary@x:1"]
        {
            let told =
                rules(&[("HTTPS_PROXY", value)]).of(&"https://x.example".parse().unwrap()).unwrap_err();
            assert!(told.starts_with("HTTPS_PROXY=") && told.contains("http://"), "{told}");
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[test]
    fn a_password_is_decoded_for_the_proxy_and_shown_to_nobody() {
        let proxy = Proxy::parse("HTTPS_PROXY", "http://us%40er:p%3A%2f%25@proxy.example:3128/").unwrap();
        assert_eq!(proxy.user, Some(("us@er".to_owned(), "p:/%".to_owned())));
        assert_eq!(proxy.address(), ("proxy.example".to_owned(), 3128));
        assert_eq!(format!("{proxy} {proxy:?}"), ["http://us@er@proxy.example:3128"; 2].join(" "));
        // As people write it who do not encode (guake#236), or half of it (got-scraping#55).
        for (password, read) in
            [("!@me", "!@me"), ("a6%6qgx", "a6%6qgx"), ("p/a#s", "p/a#s"), ("pass%23", "pass#")]
        {
            let proxy =
                Proxy::parse("HTTPS_PROXY", &format!("http://ada:{password}@proxy.example:3128")).unwrap();
            assert_eq!(proxy.user, Some(("ada".to_owned(), read.to_owned())));
            assert_eq!(proxy.address().0, "proxy.example");
        }
    }
}
