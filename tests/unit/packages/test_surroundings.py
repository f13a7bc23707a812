"""What the installer is told, and what it is not."""

from pathlib import Path

from kirby.packages.environments import cache_folder
from kirby.packages.sources import Sources, netrc_text, users_netrc
from kirby.packages.tokens import token_of
from kirby.packages.uv import scrubbed


def test_settings_for_other_purposes_are_kept_from_the_installer() -> None:
    left = {
        "UV_INDEX_URL": "http://elsewhere.test",
        "UV_EXTRA_INDEX_URL": "http://elsewhere.test",
        "PIP_INDEX_URL": "http://elsewhere.test",
        "PYTHONPATH": "/somewhere",
        "VIRTUAL_ENV": "/somewhere",
        "KIRBY_TOKEN": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }

    assert scrubbed({**left, "PATH": "/bin"}) == {"PATH": "/bin"}


def test_certificates_proxies_and_caches_are_kept() -> None:
    kept = {
        "HOME": "/root",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
        "HTTPS_PROXY": "http://proxy.test:3128",
        "no_proxy": "intern.test",
        "XDG_CACHE_HOME": "/var/cache",
    }

    assert scrubbed(kept) == kept


def test_the_built_in_index_is_reached_without_the_proxy() -> None:
    environ = {"HTTP_PROXY": "http://proxy.test:3128", "NO_PROXY": "intern.test"}

    told = scrubbed(environ, direct=["127.0.0.1"])

    assert told["NO_PROXY"] == told["no_proxy"] == "intern.test,127.0.0.1"
    assert told["HTTP_PROXY"] == "http://proxy.test:3128"


def test_the_token_goes_to_the_built_in_index_and_the_users_own_entries_stay() -> None:
    sources = Sources(built_in=("http://web.test:8642/index/simple/",), token="kby_1")

    text = netrc_text(sources, "machine other.test login me password mine\n")

    assert text.splitlines() == [
        "machine other.test login me password mine",
        "",
        "machine web.test login __token__ password kby_1",
    ]


def test_a_password_in_an_address_is_taken_out_of_it() -> None:
    sources = Sources(default="https://anna:s%40crit@packages.test/simple/")

    assert sources.default_address == "https://packages.test/simple/"
    assert "machine packages.test login anna password s@crit" in netrc_text(sources, "")
    assert "s%40crit" not in repr(sources)


def test_the_users_own_netrc_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine a.test login b password c")

    assert users_netrc({"HOME": str(tmp_path)}) == "machine a.test login b password c"
    assert users_netrc({"HOME": str(tmp_path), "NETRC": "/nowhere"}) == ""


def test_the_usual_cache_is_used_where_hard_links_lead_there(tmp_path: Path) -> None:
    assert cache_folder(tmp_path, {"HOME": str(tmp_path)}) is None


def test_the_cache_lies_with_the_environments_where_none_do(tmp_path: Path) -> None:
    assert cache_folder(tmp_path, {"XDG_CACHE_HOME": "/proc"}) == tmp_path / ".cache"
    assert cache_folder(tmp_path, {}) == tmp_path / ".cache"


def test_a_token_is_read_from_either_way_of_sending_it() -> None:
    assert token_of("Bearer kby_1") == "kby_1"
    assert token_of("Basic X190b2tlbl9fOmtieV8x") == "kby_1"
    assert token_of("Basic not base64!") is None
    assert token_of("") is None
