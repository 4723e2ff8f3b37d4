package widget

import "time"

// A Play counts at regular intervals after the user starts it. It drives an animation
// or, with [JSLink], a slider. Its value is the count. The front end counts, so a Play
// stops while no page is open.
type Play struct{ Control[int] }

// NewPlay returns a counter from low to high that adds one after each interval. Its
// value is low.
func NewPlay(description string, low, high int, interval time.Duration) *Play {
	high = max(low, high)
	p := &Play{}
	p.check = within(low, high)
	state := controlState(description, "DescriptionStyle")
	state["min"], state["max"], state["step"] = low, high, 1
	state["interval"] = max(interval.Milliseconds(), 1)
	state["playing"], state["repeat"], state["show_repeat"] = false, false, true
	p.openWith("Play", description, low, state, func(msg message) {
		for _, key := range []string{"playing", "repeat"} {
			if raw, ok := msg.State[key]; ok {
				on, _ := fromJSON[bool](raw)
				_ = p.m.set(key, on, false)
			}
		}
		p.receive(msg)
	})
	return p
}

// Start starts the counter in every page that shows the widget.
func (p *Play) Start() { _ = p.m.set("playing", true, true) }

// Pause stops counting; the value stays.
func (p *Play) Pause() { _ = p.m.set("playing", false, true) }

// Playing reports whether the counter runs.
func (p *Play) Playing() bool {
	on, _ := p.m.copy()["playing"].(bool)
	return on
}
