// Package racedetector turns Go's race detector on and off for a session, and shows its reports.
package racedetector

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/racereport"
	"github.com/perijove/perijove/kernel/internal/traceback"
)

const (
	buildNotice = "building a program that runs the cells with the race detector: this takes one to four minutes, up to 1 GB of memory and about 500 MB of disk; later notebooks use the program too; " +
		"it is built again for another version of Go or Perijove, and after four other such programs were used"
	onNotice  = "the race detector is on: cells take 2 to 20 times as long and use 5 to 10 times as much memory"
	offNotice = "the race detector is off"
)

// A Detector is the race detector of a session.
type Detector struct {
	on     atomic.Bool
	dir    string // the session's folder
	reader racereport.Reader
}

// New returns the Detector of a session. dir is a folder for its files. on says whether the detector is on.
func New(dir string, on bool) *Detector {
	d := &Detector{dir: dir}
	d.on.Store(on)
	return d
}

// On reports whether the detector is on. It may be called concurrently.
func (d *Detector) On() bool { return d.on.Load() }

// Set turns the detector on or off for the next worker process. It returns a notice for the user.
func (d *Detector) Set(on bool) string {
	d.on.Store(on)
	return d.String()
}

// String returns a sentence that says whether the detector is on.
func (d *Detector) String() string {
	if d.On() {
		return onNotice
	}
	return offNotice
}

// Environ returns the environment variables with which a worker process must start.
func (d *Detector) Environ() []string {
	if !d.On() {
		return nil
	}
	if err := os.MkdirAll(racereport.Folder(d.dir), 0o700); err != nil {
		return nil // the detector then writes to standard error
	}
	return []string{racereport.Variable(d.dir)}
}

// Image returns the image to use in place of img: with the detector if on is true, and without it otherwise. Before
// it builds an image with the detector, it shows a notice about the cost in sink. It calls log at each step of a
// build.
func (d *Detector) Image(ctx context.Context, img *image.Image, on bool, sink output.Sink, log func(step string)) (*image.Image, error) {
	told := false
	img, err := img.WithRace(ctx, on, func(step string) {
		if !told && on {
			told = true
			sink.Stream(output.Stderr, buildNotice+"\n")
		}
		log(step)
	})
	if err == nil && img.Unfit != "" {
		return nil, fmt.Errorf("cannot use the race detector with %s: %s", img.Toolchain.Version, img.Unfit)
	}
	return img, err
}

// Show shows the races that were reported since the last call. It returns an error that lists the races, or nil if
// there are none.
func (d *Detector) Show(sink output.Sink, style traceback.Style) *output.Error {
	if !d.On() {
		return nil
	}
	races := group(d.reader.Read(racereport.Folder(d.dir)), style)
	if len(races) == 0 {
		return nil
	}
	sink.Display(output.Display{Data: output.Bundle{"text/plain": text(races), "text/html": page(races)}})
	return traceback.New("DataRace", summary(races))
}
