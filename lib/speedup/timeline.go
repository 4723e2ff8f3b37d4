package speedup

import (
	"context"
	"errors"
	"fmt"
	"html"
	"strings"
)

// A Timeline shows one run of a case: which goroutines and processes ran and waited. HTML
// returns a picture as part of an HTML page; String returns a text.
type Timeline interface {
	HTML() string
	String() string
}

// A Recorder calls run once, records what happens meanwhile, and returns the recording.
// If run fails, or the recording fails, it returns the error.
type Recorder func(run func() error) (Timeline, error)

// maxTimelines limits the size in bytes of all timelines below a table together.
const maxTimelines = 4 << 20

// record records one run of each case with each number of workers, and adds the timelines
// to r. It returns only errors of runs; other errors of the Recorder become a note.
func (m *measurement) record(ctx context.Context, r *Result) error {
	for c := range m.cases {
		for w, workers := range m.opts.Workers {
			var failed error
			t, err := m.opts.Record(func() error {
				_, failed = m.measureCase(ctx, c, workers)
				return failed
			})
			switch {
			case failed != nil:
				return failed
			case err != nil:
				r.recordErr = err
			default:
				r.Series[c].Points[w].Timeline = t
			}
		}
	}
	return nil
}

// Timeline returns the timeline of the case with the given name and number of workers. It
// returns an error if there is none.
func (r *Result) Timeline(name string, workers int) (Timeline, error) {
	for _, s := range r.Series {
		if s.Name != name {
			continue
		}
		for _, p := range s.Points {
			if p.Workers == workers && p.Timeline != nil {
				return p.Timeline, nil
			}
		}
	}
	if r.recordErr != nil {
		return nil, fmt.Errorf("speedup: there is no timeline of the case %q with %s: %w", name, countText(float64(workers), "worker"), r.recordErr)
	}
	return nil, fmt.Errorf("speedup: there is no timeline of the case %q with %s: %w", name, countText(float64(workers), "worker"), errNotRecorded)
}

var errNotRecorded = errors.New("the run was not recorded; set Options.Record before the measurement, and pass the name of a case and a number of Options.Workers")

// timelineNotes returns notes: that the timelines show separate runs, and why runs were not
// recorded.
func (r *Result) timelineNotes() (notes []Note) {
	recorded := 0
	for _, s := range r.Series {
		for _, p := range s.Points {
			if p.Timeline != nil {
				recorded++
			}
		}
	}
	if recorded > 0 {
		notes = append(notes, Note{Text: fmt.Sprintf("%s, each of a separate run after the rounds.", countText(float64(recorded), "timeline"))})
	}
	if r.recordErr != nil {
		notes = append(notes, Note{Text: fmt.Sprintf("Runs were not recorded: %v.", r.recordErr), Warning: true})
	}
	return notes
}

// timelinesHTML returns the timelines as parts of a page that open with a click. Timelines
// that would exceed maxTimelines are left out.
func (r *Result) timelinesHTML() string {
	var b strings.Builder
	left := 0
	for _, s := range r.Series {
		for _, p := range s.Points {
			if p.Timeline == nil {
				continue
			}
			picture := p.Timeline.HTML()
			if b.Len()+len(picture) > maxTimelines {
				left++
				continue
			}
			fmt.Fprintf(&b, "\n<details><summary>%s</summary>%s</details>", html.EscapeString(timelineName(s, p)), picture)
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n<p>%s left out, because they are large: Result.Timeline returns each.</p>", countText(float64(left), "timeline"))
	}
	return b.String()
}

func timelineName(s Series, p Point) string {
	name := "Timeline"
	if s.Name != "" {
		name += ": " + s.Name
	}
	return name + ", " + countText(float64(p.Workers), "worker")
}

// maxTimelineLines is how many lines of a timeline's text are below a table.
const maxTimelineLines = 6

// timelineText returns the first lines of a timeline's text.
func timelineText(s Series, p Point) string {
	text := timelineName(s, p) + "\n"
	lines := strings.Split(strings.TrimRight(p.Timeline.String(), "\n"), "\n")
	for i, line := range lines {
		if i == maxTimelineLines {
			return text + fmt.Sprintf("  and %s\n", countText(float64(len(lines)-i), "more line"))
		}
		text += "  " + line + "\n"
	}
	return text
}
