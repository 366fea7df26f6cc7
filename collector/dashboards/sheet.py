"""One dashboard in the making, in one language: its variables, annotations, links, and where panels stand."""

from typing import NamedTuple

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    AnnotationTarget,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    DashboardLink,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
    VariableType,
)

from collector.dashboards.panels import BAD, GOOD, PLAIN
from collector.dashboards.query import SOURCE, ask, ask_values, within
from collector.dashboards.texts import PANELS, TEXTS
from tickets.titles import Language

BROWSER = "browser"
"""Times as the reader's own clock shows them."""

SHOWN = '"device" =~ /^${shown:regex}$/'
"""Devices that are shown; so that annotations of other kinds of devices stay away."""

COUNTED = '"device" =~ /^${counted:regex}$/'
"""Meters of the chosen role: few main meters, where a curve for each sub-meter would be too many."""

_COLUMNS = 24
_EVERYTHING = VariableOption(selected=True, text=["All"], value=["$__all"])


class Edition(NamedTuple):
    """For whom dashboards are made.

    Attributes:
        language: of everything that is read.
        timezone: IANA name of the site's; "" where the site is not known: a variable asks for it.
        currency: of costs; "" where it is not known.
        voltage_v: nominal voltage between phase and neutral.
        ticket_link: where a ticket can be seen, with {number}; "" for nowhere.
    """

    language: Language
    timezone: str = ""
    currency: str = ""
    voltage_v: float = 230.0
    ticket_link: str = ""


class Sheet:
    """A dashboard that is being filled, from top to bottom and from left to right.

    Attributes:
        edition: for whom.
        places: building, floor, area, device: those that it has variables for, which are also tags.
    """

    def __init__(self, name: str, edition: Edition, *, since: str = "now-7d", refresh: str = "5m") -> None:
        """Begins an empty dashboard.

        Args:
            name: of the dashboard: electricity.
            edition: for whom.
            since: beginning of the time range at first.
            refresh: how often it is drawn again.
        """
        self.edition = edition
        self.places: tuple[str, ...] = ()
        self._name = name
        self._x = self._y = self._height = 0
        self._variables = [self._choose_source(), self._choose_timezone()]
        self._panels: list[Panel | RowPanel] = []
        self._annotations: list[AnnotationQuery] = []
        self._dashboard = Dashboard(
            uid=find_uid(name, edition.language),
            title=f"Siteward · {self.say(f'{name}.title')}",
            description=self.say(f"{name}.about"),
            tags=["siteward", edition.language],
            timezone=self.zone,
            week_start="monday",
            graph_tooltip=DashboardCursorSync.CROSSHAIR,
            time=DashboardDashboardTime(since, "now"),
            refresh=refresh,
        )

    def say(self, key: str) -> str:
        """A text of the table, in the edition's language."""
        return TEXTS[key].pick(self.edition.language)

    def days(self) -> list[str]:
        """Names of the days of the week, Monday first."""
        return self.say("days").split()

    @property
    def zone(self) -> str:
        """The zone in which times are shown."""
        return self.edition.timezone or BROWSER

    # ── variables ────────────────────────────────────────────────────────────────────────────────────────────────

    def narrow(self, measurement: str, *places: str) -> None:
        """Lets people choose places that a measurement has, each within the ones before."""
        self.places = places
        for count, place in enumerate(places):
            conditions = [within(*places[:count])] if count else []
            self.choose(place, ask_values(measurement, place, *conditions))
        if "device" in places:
            self._list_unseen("shown", ask_values(measurement, "device", within(*places)))

    def choose(self, tag: str, question: str) -> None:
        """Lets people choose values of a tag, any number of them; all at first."""
        self._variables.append(self._make_choice(tag, question, all_value=".*"))

    def _list_unseen(self, name: str, question: str) -> None:
        """Names devices by a variable that nobody sees, for what no tag tells: their kind, or their role."""
        self._variables.append(self._make_choice(name, question, hide=VariableHide.HIDE_VARIABLE))

    def _make_choice(
        self, name: str, question: str, *, all_value: str | None = None, hide: VariableHide | None = None
    ) -> VariableModel:
        return VariableModel(
            type_val=VariableType.QUERY,
            name=name,
            label=self.say(name),
            datasource=SOURCE,
            query=question,
            refresh=VariableRefresh.ON_TIME_RANGE_CHANGED,
            sort=VariableSort.NATURAL_ASC,
            multi=True,
            include_all=True,
            all_value=all_value,
            hide=hide,
            current=_EVERYTHING,
        )

    def choose_role(self, utility: str) -> None:
        """Lets people choose main meters or sub-meters: the sum of both would count everything twice.

        Args:
            utility: electricity or water; the variable of `COUNTED` names the meters of it that have the role.
        """
        names = {"top": self.say("role.top"), "sub": self.say("role.sub")}
        options = [VariableOption(selected=value == "top", text=name, value=value) for value, name in names.items()]
        self._variables.append(
            VariableModel(
                type_val=VariableType.CUSTOM,
                name="role",
                label=self.say("role"),
                query=", ".join(f"{name} : {value}" for value, name in names.items()),
                current=options[0],
                options=options,
            )
        )
        conditions = (f"\"utility\" = '{utility}'", "\"role\" = '${role:raw}'", within(*self.places))
        self._list_unseen("counted", ask_values("consumption", "device", *conditions))

    def _choose_source(self) -> VariableModel:
        return VariableModel(
            type_val=VariableType.DATASOURCE,
            name="datasource",
            label=self.say("datasource"),
            query="influxdb",
            regex="",
            refresh=VariableRefresh.ON_DASHBOARD_LOAD,
        )

    def _choose_timezone(self) -> VariableModel:
        """The zone whose midnights end days: fixed where the site is known, else it can be typed."""
        known = self.edition.timezone
        zone = known or "UTC"
        return VariableModel(
            type_val=VariableType.CONSTANT if known else VariableType.TEXTBOX,
            name="timezone",
            label=self.say("timezone"),
            description=self.say("timezone.about"),
            hide=VariableHide.HIDE_VARIABLE if known else VariableHide.DONT_HIDE,
            query=zone,
            current=VariableOption(selected=True, text=zone, value=zone),
            options=[VariableOption(selected=True, text=zone, value=zone)],
        )

    # ── panels ───────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, key: str) -> None:
        """Begins a row with a heading."""
        self._break()
        place = GridPos(h=1, w=_COLUMNS, x=0, y=self._y)
        self._panels.append(RowPanel(id_val=len(self._panels) + 1, title=self.say(key), grid_pos=place))
        self._y += 1

    def add(self, key: str, panel: Panel, width: int, height: int = 8) -> None:
        """Places a panel right of the last one, or below where there is no room; its words are of the table."""
        if self._x + width > _COLUMNS:
            self._break()
        words = PANELS[f"{self._name}.{key}"]
        panel.id_val = len(self._panels) + 1
        panel.title = words.title.pick(self.edition.language)
        panel.description = words.about.pick(self.edition.language)
        panel.datasource = SOURCE
        panel.grid_pos = GridPos(h=height, w=width, x=self._x, y=self._y)
        self._panels.append(panel)
        self._x += width
        self._height = max(self._height, height)

    def _break(self) -> None:
        self._y += self._height
        self._x = self._height = 0

    # ── annotations, links ───────────────────────────────────────────────────────────────────────────────────────

    def annotate(self) -> None:
        """Draws alerts and tickets over every curve: those of the devices that are shown, and of their places."""
        where = within(*(place for place in self.places if place != "device"))
        if "device" in self.places:
            where += f' AND ({SHOWN} OR "device" !~ /./)'
        self._annotations += [
            self._mark("alerts", BAD, "alert", "severity", "\"state\" = 'firing'", where),
            self._mark("alerts.over", GOOD, "alert", "severity", "\"state\" = 'resolved'", where, shown=False),
            self._mark("tickets", PLAIN, "ticket", "priority", "\"state\" = 'new'", where),
        ]

    def _mark(
        self, key: str, colour: str, measurement: str, tag: str, *conditions: str, shown: bool = True
    ) -> AnnotationQuery:
        fields = f'"title", "state_text", "{tag}"'
        target = _Target(ask(fields, measurement, *conditions, newest=300), self.say(key), tag)
        return AnnotationQuery(name=self.say(key), datasource=SOURCE, enable=shown, icon_color=colour, target=target)

    def link(self, name: str, **variables: str) -> str:
        """Address of another dashboard over the same time, with values for its variables."""
        chosen = "".join(f"var-{variable}={value}&" for variable, value in variables.items())
        return f"/d/{find_uid(name, self.edition.language)}?{chosen}${{__url_time_range}}"

    def lead(self, name: str) -> tuple[str, str]:
        """Name and address of another dashboard."""
        return self.say(f"{name}.title"), self.link(name)

    @property
    def ticket_link(self) -> str:
        """Where the ticket of a table's cell can be seen; "" for nowhere."""
        return self.edition.ticket_link.replace("{number}", "${__value.raw}")

    def build(self) -> Dashboard:
        """The dashboard."""
        made = self._dashboard
        made.panels = self._panels
        made.templating = DashboardDashboardTemplating(self._variables)
        made.annotations = AnnotationContainer(self._annotations)
        made.links = [
            DashboardLink(
                title=self.say("links"),
                type_val=DashboardLinkType.DASHBOARDS,
                tags=["siteward", self.edition.language],
                as_dropdown=False,
                include_vars=True,
                keep_time=True,
                target_blank=False,
            )
        ]
        return made


class _Target(AnnotationTarget):
    """A question for annotations, as Grafana's InfluxDB data source has it; the SDK knows only Grafana's own."""

    def __init__(self, text: str, name: str, tag: str) -> None:
        super().__init__()
        self._text, self._name, self._tag = text, name, tag

    def to_json(self) -> dict[str, object]:
        return {
            "refId": "Anno",
            "name": self._name,
            "query": self._text,
            "queryType": "tags",
            "rawQuery": True,
            "fromAnnotations": True,
            "titleColumn": "state_text",
            "textColumn": "title",
            "tagsColumn": self._tag,
            "timeEndColumn": "",
        }


def find_uid(name: str, language: str) -> str:
    """What a dashboard is called for ever: links and bookmarks rely on it."""
    return f"siteward-{name}-{language}"
