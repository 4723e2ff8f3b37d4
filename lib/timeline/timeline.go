// Package timeline draws a Gantt chart: spans of time in lanes, one lane for each
// worker, for example.
//
//	began := time.Now()
//	work()
//	timeline.New("Tasks", timeline.Span{Lane: "worker 1", Begin: began, End: time.Now(), Label: "7"})
//
// Spans and marks are plain data, so goroutines and processes can return them. All
// processes of one machine have the same wall clock.
package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/perijove/perijove/lib/plotstyle"
)

// A Span is a period of time in a lane.
type Span struct {
	Lane       string    // the row of the chart: a worker, for example
	Begin, End time.Time // End is not before Begin
	Label      string    // inside the bar, if it fits
	Series     string    // name in the legend; spans of one series have one color. It may be empty.
}

// A Mark is an event at one time.
type Mark struct {
	Lane   string
	At     time.Time
	Label  string // above the mark
	Series string // as in Span
}

// A Timeline is the chart. A notebook shows it as the last expression of a cell. It
// can be drawn and saved like a [plotstyle.Plot].
type Timeline struct {
	*plotstyle.Plot

	spans []Span
	marks []Mark
	start time.Time
	lanes []string
	names []string // of series
}

// New returns a timeline. Its lanes, from top to bottom, are in the order in which
// they first occur in spans, then in marks. Time zero is the earliest span or mark.
func New(title string, spans []Span, marks ...Mark) *Timeline {
	t := &Timeline{spans: spans, marks: marks}
	for _, s := range spans {
		t.note(s.Lane, s.Series, s.Begin)
	}
	for _, m := range marks {
		t.note(m.Lane, m.Series, m.At)
	}
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text = "time since the start"
	p.X.Tick.Marker = plotstyle.Ticks{Unit: plotstyle.Seconds}
	p.Y.Tick.Marker = t.ticks()
	p.Y.Min, p.Y.Max = 0.4-float64(max(1, len(t.lanes))), 0.6
	length := max(t.seconds(t.end()), 1e-9)
	p.X.Min, p.X.Max = 0, length
	if len(marks) > 0 { // a mark extends to both sides of its time
		p.X.Min, p.X.Max = -0.03*length, 1.03*length
	}
	p.Add(bars{t})
	p.Add(points{t})
	t.addLegend(p)
	t.Plot = plotstyle.New(p)
	t.Width = 5.25 * vg.Inch
	t.Height = vg.Length(100 + 26*max(1, len(t.lanes)))
	return t
}

// note adds the lane and series of a span or mark, and moves the start to at if that
// is earlier.
func (t *Timeline) note(lane, series string, at time.Time) {
	if !slices.Contains(t.lanes, lane) {
		t.lanes = append(t.lanes, lane)
	}
	if !slices.Contains(t.names, series) {
		t.names = append(t.names, series)
	}
	if t.start.IsZero() || at.Before(t.start) {
		t.start = at
	}
}

func (t *Timeline) seconds(at time.Time) float64 { return at.Sub(t.start).Seconds() }

func (t *Timeline) end() time.Time {
	end := t.start
	for _, s := range t.spans {
		if s.End.After(end) {
			end = s.End
		}
	}
	for _, m := range t.marks {
		if m.At.After(end) {
			end = m.At
		}
	}
	return end
}

// ticks returns the lanes' names as ticks at 0, -1, -2, …, from top to bottom.
func (t *Timeline) ticks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, lane := range t.lanes {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: lane})
	}
	return ticks
}

// maxListed is the maximum number of spans and marks of a lane that String lists.
const maxListed = 20

// String lists the spans and marks of each lane in the order of their times, at most
// 20 of a lane.
func (t *Timeline) String() string {
	var b strings.Builder
	for _, lane := range t.lanes {
		var parts []listed
		for _, s := range t.spans {
			if s.Lane == lane {
				parts = append(parts, listed{s.Begin, fmt.Sprintf("%s to %s", t.since(s.Begin), t.since(s.End)), s.Label, s.Series})
			}
		}
		for _, m := range t.marks {
			if m.Lane == lane {
				parts = append(parts, listed{m.At, "at " + t.since(m.At), m.Label, m.Series})
			}
		}
		slices.SortStableFunc(parts, func(a, b listed) int { return a.at.Compare(b.at) })
		texts := make([]string, 0, maxListed+1)
		for i, p := range parts {
			if i == maxListed {
				texts = append(texts, fmt.Sprintf("and %d more", len(parts)-i))
				break
			}
			texts = append(texts, p.text())
		}
		fmt.Fprintf(&b, "%s: %s\n", lane, strings.Join(texts, "; "))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type listed struct {
	at                  time.Time
	when, label, series string
}

func (l listed) text() string {
	text := l.when
	for _, s := range []string{l.series, l.label} {
		if s != "" {
			text += " " + s
		}
	}
	return text
}

// since returns the time from the start to at, with three significant digits.
func (t *Timeline) since(at time.Time) string {
	d := at.Sub(t.start)
	digit := time.Nanosecond
	for d/1000 >= digit {
		digit *= 10
	}
	return d.Round(digit).String()
}
