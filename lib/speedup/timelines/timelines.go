// Package timelines records one run for each point of a speedup curve, and draws which
// goroutines and processes ran, and which waited for which:
//
//	res, err := speedup.Measure(ctx, speedup.Options{Workers: workers, Record: timelines.Record}, cases...)
//	t, err := res.Timeline("processes", 4)
//	display.Show(t) // or as the last expression of a cell
//
// In a notebook, the timelines are below the table of the result, and open with a click.
package timelines

import (
	"errors"
	"os"

	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/exectrace/chart"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/speedup"
)

// maxHTML is the size in bytes above which a picture becomes an image without tooltips.
const maxHTML = 512 << 10

// A Timeline is the picture of a run, and the text that says where the time went. It
// keeps nothing else of the recording.
type Timeline struct {
	html, text string
	png        []byte
}

// HTML returns the picture as part of an HTML page.
func (t *Timeline) HTML() string { return t.html }

// PNG returns the picture, with two pixels per CSS pixel.
func (t *Timeline) PNG() []byte { return t.png }

// String returns a text that says how long each goroutine ran and what it waited for.
func (t *Timeline) String() string { return t.text }

// Record is a value for the field Record of [speedup.Options]. It records a run with
// [mp.Trace], so it fails in a process that is already being recorded, such as in a cell
// with %%trace.
func Record(run func() error) (t speedup.Timeline, err error) {
	folder, err := os.MkdirTemp("", "perijove-timeline-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := mp.Trace(folder, run); err != nil {
		return nil, err
	}
	recording, err := exectrace.Read(folder)
	if err != nil {
		return nil, err
	}
	return newTimeline(recording), nil
}

func newTimeline(recording *exectrace.Trace) *Timeline {
	c := chart.New(recording)
	t := &Timeline{html: c.HTML(), text: recording.String(), png: c.PNG()}
	if left := c.LeftOut(); left != "" {
		t.text += "\npicture: " + left
	}
	if len(t.html) > maxHTML && t.png != nil {
		t.html = c.ImageHTML()
	}
	return t
}
