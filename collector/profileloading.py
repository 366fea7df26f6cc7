"""Profiles as a configuration folder has them: the site's own beside the built-in ones, with their codecs and tests."""

from pathlib import Path

from collector.folder import PROFILES, FolderReading
from collector.yamlfile import Document, Fault, Spot
from devices.formats.codec import Codec, CodecError
from devices.language.catalog import Catalog
from devices.language.profile import Profile
from devices.language.selftest import check_profile
from devices.values import suggest


def read_profiles(reading: FolderReading, *, tested: bool = True) -> Catalog | None:
    """The built-in profiles and the site's own; None where one of them is wrong, or fails its tests."""
    builtin = Catalog()
    own: dict[str, Profile] = {}
    owners: dict[str, str] = {}
    problems = len(reading.problems)
    for file in sorted((reading.folder / PROFILES).glob("[!.]*.yaml")):
        part = reading.read(file, Profile)
        profile = _give_codecs(reading, file, *part) if part else None
        if part is None or profile is None:
            continue
        for number, path, problem in check_profile(profile) if tested else ():
            spot = part[0].locate(("tests", number, *path))
            label = f"test {number + 1}" + (f" ({name})" if (name := profile.tests[number].name) else "")
            reading.report(file, Fault(spot, f"the profile fails its own {label}: {problem}"))
        if profile.id in own or profile.id in builtin:
            message = f"id {profile.id!r} already belongs to {owners.get(profile.id, 'a built-in profile')}"
            reading.report(file, Fault(part[0].locate(("id",)), message, "choose another id"))
        own[profile.id], owners[profile.id] = profile, f"{file}"
    return Catalog(own) if len(reading.problems) == problems else None


def _give_codecs(reading: FolderReading, file: Path, document: Document, profile: Profile) -> Profile | None:
    """The profile with the text of the codecs that lie beside its file; None where one of them is wrong."""
    texts: dict[str, str] = {}
    problems = len(reading.problems)
    for number, form in enumerate(profile.forms):
        if form.codec is None or form.codec.file in texts:
            continue
        codec, name = file.parent / form.codec.file, form.codec.file
        reading.files.append(codec)
        try:
            texts[name] = codec.read_text(encoding="utf-8")
            Codec(texts[name], name)
        except OSError as error:
            spot = document.locate(("messages", number, "codec") if profile.messages else ("codec",))
            hint = suggest(name, [other.name for other in file.parent.glob("*.js")]) or "put it beside the profile"
            reading.report(file, Fault(spot, f"codec: cannot read {codec}: {error.strerror}", hint))
        except UnicodeDecodeError:
            reading.report(codec, Fault(Spot(1, 1), "this is not UTF-8 text"))
        except CodecError as error:
            reading.report(codec, Fault(Spot(error.line or 1, 1), error.problem))
    return profile.with_codecs(texts.__getitem__) if len(reading.problems) == problems else None
