"""`siteward devices …`: list and show, and the commands that have modules of their own."""

import typer

from collector.commands import register
from collector.commands.adopt import adopt
from collector.commands.common import DeviceId, load_configuration
from collector.commands.consumption import consumption
from collector.commands.profiles import profiles
from collector.commands.tryout import try_
from collector.configuration import Configuration
from collector.terminal import DEFAULT_CONFIG, AsJson, ConfigFolder, fail, print_json, print_rows
from devices.durations import write_duration
from devices.register import Device, Replacement
from devices.timestamps import format_rfc3339
from devices.topics import DEVICE, SITE
from devices.values import suggest

app = typer.Typer(no_args_is_help=True, help="The register: what is installed, where, and how it is heard.")
app.command()(adopt)
app.command("import")(register.import_)
app.command()(register.export)
app.command()(consumption)
app.command()(profiles)
app.command("try")(try_)


@app.command("list")
def list_(config: ConfigFolder = DEFAULT_CONFIG, *, as_json: AsJson = False) -> None:
    """List the devices of the register."""
    configuration = load_configuration(config)
    language = configuration.settings.site.language
    if as_json:
        print_json([device.model_dump(mode="json") for device in configuration.register])
        return
    rows = [
        {
            "id": device.id,
            "kind": device.kind,
            "name": device.name.pick(language),
            "place": _show_place(device),
            "profile": device.profile,
        }
        for device in configuration.register
    ]
    print_rows("Devices", rows, as_json=False, empty="The register is empty. List devices in devices.yaml.")


@app.command()
def show(
    device: DeviceId,
    config: ConfigFolder = DEFAULT_CONFIG,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one device, and the topics on which it is heard."""
    configuration = load_configuration(config)
    found = configuration.register.by_id().get(device)
    if found is None:
        hint = suggest(device, configuration.register.by_id()) or "see: siteward devices list"
        fail(f"There is no device {device!r}; {hint}")
    topics, feeds = _find_topics(configuration, found), configuration.places.feeds
    main = next((feed.main for feed in feeds if device in feed.subs), "")
    subs = [sub for feed in feeds if feed.main == device for sub in feed.subs]
    if as_json:
        print_json(found.model_dump(mode="json") | {"topics": topics, "fed_by": main, "feeds": subs})
        return
    facts = {
        "kind": found.kind,
        "name": f"{found.name.en} {found.name.zh}".strip(),
        "place": _show_place(found),
        "profile": found.profile,
        "gateway": found.gateway,
        "fed by": main,
        "feeds": ", ".join(subs),
        "topics": "\n".join(topics),
        "interval": write_duration(found.interval) if found.interval else "",
        **_list_ratings(found),
        "replaced": "\n".join(
            _show_replacement(one) for one in configuration.register.replacements if one.device == device
        ),
        "tags": ", ".join(f"{name}: {value}" for name, value in found.tags.items()),
    }
    print_rows(found.id, [{"what": name, "value": value} for name, value in facts.items() if value], as_json=False)


def _find_topics(configuration: Configuration, device: Device) -> list[str]:
    """Where a device is heard: its own topic, else those of its profile's forms."""
    if device.topic:
        return [device.topic]
    address, site = device.address or device.id, configuration.settings.site.id
    topics = [topic for form in configuration.profiles[device.profile].forms for topic in form.topics]
    return list(dict.fromkeys(topic.replace(DEVICE, address).replace(SITE, site) for topic in topics))


_RATINGS = (
    "direction", "outside", "meter", "metering_point", "nominal_voltage", "current_limit", "flow_limit", "pulse_weight",
    "ct_ratio", "vt_ratio", "rolls_over_at",
)  # fmt: skip


def _list_ratings(device: Device) -> dict[str, str]:
    """What the record says beside place and profile, with its units."""
    written = device.model_dump(mode="json", include=set(_RATINGS), exclude_defaults=True)
    return {name.replace("_", " "): str(written[name]) for name in _RATINGS if name in written}


def _show_replacement(one: Replacement) -> str:
    boxes = f"{one.removed or '?'} by {one.installed or '?'}"
    return f"{format_rfc3339(one.at)}: {boxes}, {one.final} to {one.first}"


def _show_place(device: Device) -> str:
    return "/".join(filter(None, (device.building, device.floor, device.area)))
