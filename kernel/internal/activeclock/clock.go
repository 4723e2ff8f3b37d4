// Package activeclock measures time for timeouts: a pause of the whole machine counts for little.
package activeclock

import "time"

// MaxCounted is what one look at a goroutine, and the pause after it, count
// for at most: where the whole machine stood still for longer, the goroutine
// had no time either.
const MaxCounted = 10 * time.Millisecond

// An activeClock measures the time in which this process could run.
type activeClock struct{ last time.Time }

func New() *activeClock { return &activeClock{time.Now()} }

// Tick sleeps and returns what the round since the last one counts for.
func (p *activeClock) Tick(pause time.Duration) time.Duration {
	time.Sleep(pause)
	now := time.Now()
	d := min(now.Sub(p.last), MaxCounted)
	p.last = now
	return d
}
