package widget

import (
	"encoding/json"
	"time"
)

// A DatePicker chooses a day. Its value is midnight UTC of that day, or the zero
// time if none is chosen.
type DatePicker struct{ Control[time.Time] }

// NewDatePicker returns a control that holds the day of value, in value's location; the
// zero time means that no day is chosen.
func NewDatePicker(description string, value time.Time) *DatePicker {
	d := &DatePicker{}
	d.check, d.encode, d.decode, d.equal = inCalendar, encodeDate, decodeDate, time.Time.Equal
	d.open("DatePicker", "DescriptionStyle", description, midnight(value), map[string]any{"min": nil, "max": nil, "step": 1})
	return d
}

// SetValue chooses the day of t, in t's location; the zero time means no day. If the year
// is not between 1 and 9999, SetValue fails and changes nothing.
func (d *DatePicker) SetValue(t time.Time) error { return d.Control.SetValue(midnight(t)) }

// MIMEBundle returns the control's forms by MIME type. The text form has the description and
// the day.
func (d *DatePicker) MIMEBundle() map[string]any {
	day := "none"
	if t := d.Value(); !t.IsZero() {
		day = t.Format(time.DateOnly)
	}
	return d.m.bundle(describe(d.kind, d.description, day))
}

func midnight(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func inCalendar(t time.Time) error { return within(1, 9999)(t.Year()) }

// A date is a day in a model's state. Months count from 0.
type date struct {
	Year  int `json:"year"`
	Month int `json:"month"`
	Date  int `json:"date"`
}

func encodeDate(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return date{t.Year(), int(t.Month()) - 1, t.Day()}
}

func decodeDate(raw json.RawMessage) (time.Time, bool) {
	if string(raw) == "null" {
		return time.Time{}, true
	}
	d, ok := fromJSON[date](raw)
	if !ok {
		return time.Time{}, false
	}
	t := time.Date(d.Year, time.Month(d.Month+1), d.Date, 0, 0, 0, 0, time.UTC)
	return t, encodeDate(t) == d // time.Date would accept a 30th of February
}
