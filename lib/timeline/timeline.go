// Package timeline draws who did what, and when: spans of time in lanes, as a
// Gantt chart does.
//
//	began := time.Now()
//	work()
//	timeline.New("Tasks", timeline.Span{Lane: "worker 1", Begin: began, End: time.Now(), Label: "7"})
//
// Spans and marks are plain data, which goroutines and processes can return: wall
// clocks of one machine agree.
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

// A Span is a time during which something happened.
type Span struct {
	Lane       string    // the row in which it is drawn: a worker, for example
	Begin, End time.Time // End is not before Begin
	Label      string    // inside the bar, where it has room
	Series     string    // in the legend; spans of one series have one color. It may be empty.
}

// A Mark is an event at one time.
type Mark struct {
	Lane   string
	At     time.Time
	Label  string // above the mark
	Series string // as that of a Span
}

// A Timeline is the picture. In a notebook it is shown as the last expression of a
// cell, and it can be drawn and saved as a [plotstyle.Plot].
type Timeline struct {
	*plotstyle.Plot

	spans []Span
	marks []Mark
	start time.Time
	lanes []string
	names []string // of series
}

// New returns a timeline. Its lanes are in the order in which spans name them
// first, then marks, from top to bottom; time begins with the earliest of them.
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
	if len(marks) > 0 { // which are drawn around their time
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

// note extends lanes, series and time to what a span or mark needs.
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

// ticks are the lanes' names, at 0, -1, -2 from top to bottom.
func (t *Timeline) ticks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, lane := range t.lanes {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: lane})
	}
	return ticks
}

// maxListed is how many spans and marks of a lane String lists.
const maxListed = 20

// String lists the spans and marks of each lane, in the order of time.
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

// since returns a time since the start, with three digits.
func (t *Timeline) since(at time.Time) string {
	d := at.Sub(t.start)
	digit := time.Nanosecond
	for d/1000 >= digit {
		digit *= 10
	}
	return d.Round(digit).String()
}
