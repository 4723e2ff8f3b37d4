package widget

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// An Option configures the control of a parameter; see [Interact]. [Range], [Choice],
// [Named] and [Start] make options. A control is also an Option: the parameter uses
// that control.
type Option interface {
	configure(*parameter) error
}

// Range gives the control of a parameter a name and makes it a slider from low to high.
// For a parameter of an integer type, low and high must be whole numbers.
func Range(name string, low, high float64) Option {
	return option(func(p *parameter) error {
		p.name = name
		return p.setRange(low, high)
	})
}

// Choice gives the control of a parameter a name and makes it a menu of the options, as
// [NewDropdown] does. The parameter must have the type of the options, such as an
// enumeration.
func Choice[T comparable](name string, options ...T) Option {
	return option(func(p *parameter) error {
		if len(options) == 0 {
			return errors.New("the option Choice has no values to choose from: pass at least one")
		}
		return NewDropdown(name, options...).configure(p)
	})
}

// Named gives the control of a parameter a name.
func Named(name string) Option {
	return option(func(p *parameter) error {
		p.name = name
		return nil
	})
}

// Start gives the control of a parameter a name and an initial value, which must be
// convertible to the parameter's type without loss.
func Start(name string, value any) Option {
	return option(func(p *parameter) error {
		p.name = name
		start, ok := exactly(reflect.ValueOf(value), p.typ)
		if !ok {
			return fmt.Errorf("the start value %v (%T) cannot be converted to the parameter's type %s without loss", value, value, p.typ)
		}
		p.start = start
		return nil
	})
}

type option func(*parameter) error

func (o option) configure(p *parameter) error { return o(p) }

// exactly converts v to a type. It returns false if that would change the value: 2.5
// is not an int, 300 is not a uint8, and 65 is not a string.
func exactly(v reflect.Value, t reflect.Type) (reflect.Value, bool) {
	if !v.IsValid() || !v.CanConvert(t) || (v.Kind() == reflect.String) != (t.Kind() == reflect.String) {
		return v, false
	}
	converted := v.Convert(t)
	back := converted.Convert(v.Type())
	return converted, back.Comparable() && back.Equal(v) && (!v.CanInt() || v.Int() >= 0 || !converted.CanUint())
}

// A parameter is a parameter of a function, or a field of such a parameter, with its
// control.
type parameter struct {
	typ       reflect.Type
	name      string
	hasRange  bool
	low, high float64
	start     reflect.Value // the zero Value if there is none

	input Input
	value func() reflect.Value // returns the control's value as a value of type typ
}

var timeType = reflect.TypeFor[time.Time]()

func (p *parameter) setRange(low, high float64) error {
	if !(low <= high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return fmt.Errorf("the range from %v to %v is empty or infinite: pass a lower bound and a finite higher bound", low, high)
	}
	switch kind := p.typ.Kind(); {
	case kind == reflect.Float32 || kind == reflect.Float64:
	case kind < reflect.Int || kind > reflect.Uintptr:
		return fmt.Errorf("the option Range is for parameters that are numbers, not for the type %s", p.typ)
	case low != math.Trunc(low) || high != math.Trunc(high):
		return fmt.Errorf("the range from %v to %v must have whole numbers as bounds, since the parameter has the type %s", low, high, p.typ)
	default:
		if v := reflect.Zero(p.typ); v.CanInt() && (v.OverflowInt(int64(low)) || v.OverflowInt(int64(high))) ||
			v.CanUint() && (low < 0 || v.OverflowUint(uint64(high))) {
			return fmt.Errorf("the range from %v to %v has values that the parameter's type %s cannot hold", low, high, p.typ)
		}
	}
	p.hasRange, p.low, p.high = true, low, high
	return nil
}

// open makes the control, unless an option has made it.
func (p *parameter) open() error {
	if p.input != nil {
		return nil
	}
	if !p.start.IsValid() {
		p.start = reflect.Zero(p.typ)
		if p.hasRange {
			p.start = reflect.ValueOf(p.low).Convert(p.typ)
		}
	}
	v := p.start
	convert := func(v reflect.Value) reflect.Value { return v.Convert(p.typ) }
	switch {
	case p.typ == reflect.TypeFor[time.Duration]() && !p.hasRange:
		return errors.New("a time.Duration has no default range: pass the option Choice, or the option Range with nanoseconds")
	case p.typ == timeType:
		return p.use(NewDatePicker(p.name, v.Interface().(time.Time)), convert)
	case v.CanInt() || v.CanUint():
		low, high := p.bounds(100)
		start := v.Convert(reflect.TypeFor[int]()).Interface().(int)
		return p.use(NewIntSlider(p.name, int(low), int(high), start), convert)
	case v.CanFloat():
		low, high := p.bounds(1)
		step := math.Pow(10, math.Floor(math.Log10(max(high-low, 1e-300)))) / 100
		return p.use(NewFloatSlider(p.name, low, high, step, v.Float()), convert)
	case v.Kind() == reflect.Bool:
		return p.use(NewCheckbox(p.name, v.Bool()), convert)
	case v.Kind() == reflect.String:
		return p.use(NewText(p.name, v.String()), convert)
	}
	return fmt.Errorf("no control has values of type %s: pass the option Choice, or a control", p.typ)
}

// bounds returns the range of a slider. For a parameter without a range the slider ends at
// high, or at twice the start value if that is larger.
func (p *parameter) bounds(high float64) (float64, float64) {
	if p.hasRange {
		return p.low, p.high
	}
	start := p.start.Convert(reflect.TypeFor[float64]()).Float()
	high = max(high, 2*start)
	switch v := p.start; {
	case v.CanInt() && (high >= math.MaxInt || v.OverflowInt(int64(high))):
		high = math.Pow(2, float64(p.typ.Bits()-2)) // at least half of the largest value of the type
	case v.CanUint() && (high >= math.MaxInt || v.OverflowUint(uint64(high))):
		high = math.Pow(2, float64(min(p.typ.Bits()-1, 62)))
	}
	return min(0, start), max(high, start)
}

// A source is a control with a value.
type source interface {
	Input
	anyValue() any
}

// use takes a control, and a function that converts its values to the type of the parameter.
func (p *parameter) use(in source, convert func(reflect.Value) reflect.Value) error {
	p.input = in
	p.value = func() reflect.Value { return convert(reflect.ValueOf(in.anyValue())) }
	return nil
}

// useOwn takes a control that the user has made. Its values must be of the parameter's
// type, of the same kind, or an int for a float64 or an int64.
func (p *parameter) useOwn(in source) error {
	from := reflect.TypeOf(in.anyValue())
	wider := from.Kind() == reflect.Int && (p.typ.Kind() == reflect.Float64 || p.typ.Kind() == reflect.Int64)
	if !from.AssignableTo(p.typ) && !wider && !(from.Kind() == p.typ.Kind() && from.ConvertibleTo(p.typ)) {
		return fmt.Errorf("the values of the control have the type %s, but the parameter has the type %s", from, p.typ)
	}
	return p.use(in, func(v reflect.Value) reflect.Value {
		if v.Type().AssignableTo(p.typ) {
			return v
		}
		return v.Convert(p.typ)
	})
}

// configure makes the control an [Option].
func (c *Control[T]) configure(p *parameter) error { return p.useOwn(c) }

func (b *Button) configure(*parameter) error {
	return errors.New("a Button has no value for a parameter: pass the Button after the options of all parameters")
}

// tags reads the tags of a struct's field.
func (p *parameter) tags(tag reflect.StructTag) error {
	if name, ok := tag.Lookup("name"); ok {
		p.name = name
	}
	if text, ok := tag.Lookup("range"); ok {
		low, high, _ := strings.Cut(text, ",")
		from, err1 := strconv.ParseFloat(strings.TrimSpace(low), 64)
		to, err2 := strconv.ParseFloat(strings.TrimSpace(high), 64)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("the struct tag range:%q must be two numbers with a comma between them, such as range:\"1,500\"", text)
		}
		if err := p.setRange(from, to); err != nil {
			return err
		}
	}
	if text, ok := tag.Lookup("start"); ok {
		v, err := parse(text, p.typ)
		if err != nil {
			return fmt.Errorf("the struct tag start:%q is not a value of the field's type %s", text, p.typ)
		}
		p.start = v
	}
	if text, ok := tag.Lookup("options"); ok {
		return p.choice(strings.Split(text, ","))
	}
	return nil
}

// choice makes a menu of values that are written as text.
func (p *parameter) choice(texts []string) error {
	values := make([]reflect.Value, len(texts))
	for i, text := range texts {
		v, err := parse(strings.TrimSpace(text), p.typ)
		if err != nil {
			return fmt.Errorf("%q in the struct tag options is not a value of the field's type %s", text, p.typ)
		}
		values[i] = v
		texts[i] = fmt.Sprint(v.Interface())
	}
	menu := NewDropdown(p.name, texts...)
	if p.start.IsValid() {
		if err := menu.SetValue(fmt.Sprint(p.start.Interface())); err != nil {
			return err
		}
	}
	p.input = menu
	p.value = func() reflect.Value {
		for i, text := range texts {
			if text == menu.Value() {
				return values[i]
			}
		}
		return reflect.Zero(p.typ)
	}
	return nil
}

// parse returns the value of a basic type that text stands for.
func parse(text string, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.String:
		v.SetString(text)
		return v, nil
	case t.Kind() == reflect.Bool:
		on, err := strconv.ParseBool(text)
		v.SetBool(on)
		return v, err
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, t.Bits())
		v.SetInt(n)
		return v, err
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, t.Bits())
		v.SetUint(n)
		return v, err
	case v.CanFloat():
		x, err := strconv.ParseFloat(text, t.Bits())
		v.SetFloat(x)
		return v, err
	}
	return v, errors.ErrUnsupported
}
