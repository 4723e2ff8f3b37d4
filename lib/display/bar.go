package display

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// A Bar is a progress bar. It shows how much of some work is done, the rate, and an
// estimate of the remaining time. It changes in place: in a notebook as an output of
// the cell, in a terminal as one line. If standard error is not a terminal, only
// Close writes a line. Its methods can be called concurrently.
//
//	bar := display.NewBar("files", len(files))
//	defer bar.Close()
//	for _, f := range files {
//		read(f)
//		bar.Add(1)
//	}
//
// [Track] and [TrackSlice] do the same for a loop.
type Bar struct {
	mu     sync.Mutex // guards the fields below
	pace   Pace
	total  int
	out    func(p Progress, last bool)
	shown  time.Time
	closed bool
}

// barInterval is the minimum time between two updates of a bar.
const barInterval = 100 * time.Millisecond

// NewBar shows a bar. what is a label and may be empty. total is the amount of work
// in any unit; a negative total means that it is not known.
func NewBar(what string, total int) *Bar {
	b := &Bar{total: total, pace: Pace{What: what}, out: barOutput()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.show(time.Now(), false)
	return b
}

// Add adds n to the amount of work that is done.
func (b *Bar) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(b.pace.done + n)
}

// Set sets the amount of work that is done.
func (b *Bar) Set(done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(done)
}

func (b *Bar) set(done int) {
	now := time.Now()
	b.pace.Set(now, done)
	if !b.closed && (now.Sub(b.shown) >= barInterval || b.pace.done == b.total) {
		b.show(now, false)
	}
}

// show shows the bar. The caller holds mu.
func (b *Bar) show(now time.Time, last bool) {
	if b.pace.start.IsZero() {
		b.pace.Set(now, 0)
	}
	b.shown = now
	b.out(b.pace.Progress(now, b.total, last), last)
}

// Close shows how much work was done and how long it took. Further calls do nothing.
func (b *Bar) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		b.show(time.Now(), true)
	}
}

// Track returns the values of seq and shows a bar that counts the loop's iterations.
// total is their number; a negative total means that it is not known.
//
//	for key := range display.Track(maps.Keys(m), len(m)) { … }
func Track[T any](seq iter.Seq[T], total int) iter.Seq[T] {
	return func(yield func(T) bool) {
		bar := NewBar("", total)
		defer bar.Close()
		for v := range seq {
			if !yield(v) {
				return
			}
			bar.Add(1)
		}
	}
}

// TrackSlice returns the indexes and elements of s, as range does, and shows a bar
// that counts the loop's iterations.
func TrackSlice[E any](s []E) iter.Seq2[int, E] {
	return func(yield func(int, E) bool) {
		bar := NewBar("", len(s))
		defer bar.Close()
		for i, v := range s {
			if !yield(i, v) {
				return
			}
			bar.Add(1)
		}
	}
}

// barOutput returns the function that shows a bar: as an output of the notebook or, in a
// console or without a notebook, as a line of text.
func barOutput() func(p Progress, last bool) {
	switch {
	case !displayhost.Hosted():
		stat, err := os.Stderr.Stat()
		return lineOutput(os.Stderr, err == nil && stat.Mode()&os.ModeCharDevice != 0)
	case displayhost.TextOnly():
		return lineOutput(os.Stderr, true)
	}
	var h Handle
	return func(p Progress, _ bool) { _ = h.Show(p) }
}

// lineOutput returns a function that writes each bar over the previous one, with \r. If
// replaces is false, it writes only the last bar.
func lineOutput(w io.Writer, replaces bool) func(p Progress, last bool) {
	width := 0
	return func(p Progress, last bool) {
		if !replaces && !last {
			return
		}
		line := p.String()
		length := len([]rune(line))
		out := line + strings.Repeat(" ", max(0, width-length))
		width = length
		if replaces {
			out = "\r" + out
		}
		if last {
			out += "\n"
		}
		_, _ = io.WriteString(w, out)
	}
}

// A Pace computes the rate and the remaining time of some work, from the amounts
// done at several times. It shows nothing; a [Bar] does. The zero Pace is ready for
// use. It must not be used concurrently.
type Pace struct {
	What string // a label, such as "files"; may be empty

	start  time.Time
	done   int
	anchor sample // the rate is computed from this sample to the present
	latest sample
}

type sample struct {
	at   time.Time
	done int
}

// paceWindow is the minimum time between two samples. The rate is computed since the
// sample before the last one.
const paceWindow = 5 * time.Second

// Set records the amount of work that is done at time now. The first call sets the
// time at which the work began.
func (p *Pace) Set(now time.Time, done int) {
	if p.start.IsZero() {
		p.start = now
		p.anchor, p.latest = sample{now, done}, sample{now, done}
	}
	p.done = done
	if now.Sub(p.latest.at) >= paceWindow {
		p.anchor, p.latest = p.latest, sample{now, done}
	}
}

// rate returns the amount of work done per second, or 0 if it is not known.
func (p *Pace) rate(now time.Time) float64 {
	elapsed := now.Sub(p.anchor.at).Seconds()
	if elapsed <= 0 || p.done <= p.anchor.done {
		return 0
	}
	return float64(p.done-p.anchor.done) / elapsed
}

// Progress returns the state of a bar at time now. Its Note has the rate and the
// remaining time. If last is true or all work is done, Note has the time that the work
// took instead.
func (p *Pace) Progress(now time.Time, total int, last bool) Progress {
	var notes []string
	if p.What != "" {
		notes = append(notes, p.What)
	}
	elapsed := now.Sub(p.start)
	rate := p.rate(now)
	switch {
	case last || p.done == total:
		notes = append(notes, "in "+span(elapsed))
		if s := elapsed.Seconds(); s > 0 && p.done > 0 {
			notes = append(notes, perSecond(float64(p.done)/s))
		}
	case rate > 0:
		notes = append(notes, perSecond(rate))
		if total > p.done {
			notes = append(notes, span(time.Duration(float64(total-p.done)/rate*float64(time.Second)))+" left")
		}
	case elapsed >= time.Second:
		notes = append(notes, span(elapsed))
	}
	return Progress{Done: p.done, Total: total, Note: strings.Join(notes, ", ")}
}

// perSecond formats a rate.
func perSecond(rate float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if rate >= unit.size {
			return fmt.Sprintf("%.3g%s/s", rate/unit.size, unit.name)
		}
	}
	if rate < 1 {
		return fmt.Sprintf("one in %s", span(time.Duration(float64(time.Second)/rate)))
	}
	return fmt.Sprintf("%.3g/s", rate)
}

// span formats a duration in milliseconds, seconds, minutes or hours.
func span(d time.Duration) string {
	switch {
	case d < 0 || d > 1000*time.Hour:
		return "more than 1000 h"
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
