//! The route to the model service, step by step: proxy, DNS, TCP, TLS, clock. The first step that fails is where to look.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use http::Uri;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Finding;
use crate::connect::route::STEP;
use crate::connect::{Network, transport, trust};
use crate::model_service::faults::skew;

/// How long the whole exchange over TLS may take: it includes a tunnel and two handshakes.
const EXCHANGE: Duration = Duration::from_secs(8);

/// A line for each step to this address.
pub(super) async fn findings(url: &str, network: &Network) -> Vec<Finding> {
    let Ok(uri) = url.parse::<Uri>() else {
        return vec![Finding::fix(
            "route",
            "the endpoint is not a URL",
            "check AWS_ENDPOINT_URL and ANTHROPIC_BASE_URL",
        )];
    };
    let secure = uri.scheme_str() != Some("http");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let proxy = match network.proxies.of(&uri) {
        Ok(proxy) => proxy,
        Err(why) => return vec![line(false, "proxy", &why)],
    };
    let mut found = Vec::new();
    let (host, port) = match &proxy {
        Some(proxy) => {
            found.push(Finding::ok("proxy", format!("{proxy} leads to {host}")));
            proxy.address()
        }
        None => (host, port),
    };
    let address = match name(&host, port).await {
        Ok(address) => address,
        Err(finding) => return [found, vec![finding]].concat(),
    };
    if host.parse::<std::net::IpAddr>().is_err() {
        found.push(Finding::ok("dns", format!("{host} is {}", address.ip())));
    }
    match timeout(STEP, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => found.push(Finding::ok("tcp", format!("{host}:{port} takes connections"))),
        Ok(Err(error)) => {
            let told = format!("{host}:{port}: {error}");
            found.push(Finding::fix(
                "tcp",
                told,
                "check host, port, firewall and VPN; behind a proxy set HTTPS_PROXY",
            ));
            return found;
        }
        Err(_) => {
            let told = format!("{host}:{port} does not answer within {} s", STEP.as_secs());
            found.push(Finding::fix(
                "tcp",
                told,
                "a firewall may drop the connection; behind a proxy set HTTPS_PROXY",
            ));
            return found;
        }
    }
    if secure {
        found.extend(exchange(url, network).await);
    }
    found
}

async fn name(host: &str, port: u16) -> Result<std::net::SocketAddr, Finding> {
    let lacking = |why: String| Finding::fix("dns", why, "check spelling, region and DNS servers");
    match timeout(STEP, lookup_host((host, port))).await {
        Ok(Ok(mut found)) => found.next().ok_or_else(|| lacking(format!("{host} has no address"))),
        Ok(Err(error)) => Err(lacking(format!("{host}: {error}"))),
        Err(_) => Err(lacking(format!("{host} was not looked up within {} s", STEP.as_secs()))),
    }
}

/// TLS and clock, by one request that is not signed and asks for nothing.
async fn exchange(url: &str, network: &Network) -> Vec<Finding> {
    let roots = match trust::roots(&network.added) {
        Ok(roots) => roots,
        Err(why) => return vec![line(false, "tls", &why)],
    };
    let origin = match roots.origin {
        trust::Origin::System => "of the system and of settings",
        trust::Origin::Bundled => "bundled, for the system has none (package ca-certificates)",
    };
    let Ok(request) = HttpRequest::get(url) else {
        return vec![Finding::fix("tls", "the endpoint is not a URL", "check AWS_ENDPOINT_URL")];
    };
    match timeout(EXCHANGE, transport::connector(network).call(request)).await {
        Ok(Ok(response)) => {
            let told = format!("the certificate is trusted; {} root certificates {origin}", roots.count);
            [Some(Finding::ok("tls", told)), clock(&response)].into_iter().flatten().collect()
        }
        Ok(Err(failed)) => match crate::connect::unreachable(&failed) {
            Some(unreachable) => vec![line(false, "tls", &unreachable.to_string())],
            None => vec![Finding::fix(
                "tls",
                "the connection broke off",
                "try again, and check any proxy in between",
            )],
        },
        Err(_) => vec![Finding::fix(
            "tls",
            format!("no answer within {} s", EXCHANGE.as_secs()),
            "check firewall and any proxy in between",
        )],
    }
}

fn clock(response: &HttpResponse) -> Option<Finding> {
    response.headers().get("date")?;
    Some(match skew(response) {
        None => Finding::ok("clock", "as the server's, to less than 4 minutes"),
        Some(offset) => {
            let side = if offset > 0 { "behind" } else { "ahead of" };
            let told = format!("this machine's clock is {} s {side} the server's", offset.abs());
            Finding::fix(
                "clock",
                told,
                "set it (timedatectl set-ntp true): signatures are refused from 5 minutes on",
            )
        }
    })
}

/// A line of the connection's own words, advice included.
fn line(ok: bool, name: &str, text: &str) -> Finding {
    let (detail, fix) = text.split_once(": ").unwrap_or((text, "see the line itself"));
    Finding { ok, ..Finding::note(name, detail, fix) }
}
