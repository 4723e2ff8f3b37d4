package benchmark

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options are the options of %%bench.
type Options struct {
	Args     []string // flags for package testing, such as -test.count=10
	Selects  bool     // -bench is given, which selects functions of the notebook
	Compares bool     // -compare is given: compare the last two runs
}

// defaults are the arguments without options. Ten measurements give an interval of the median and can show a difference.
var defaults = []string{"-test.run=^$", "-test.bench=.", "-test.benchmem", "-test.count=10", "-test.benchtime=100ms"}

// flags are the options that package testing gets.
var flags = []string{"bench", "benchtime", "count", "cpu"}

// ParseOptions parses the arguments of %%bench. Flags may have the prefix "test.". It returns an error if an argument
// is unknown or a value is invalid.
func ParseOptions(words []string) (Options, error) {
	o := Options{Args: slices.Clone(defaults)}
	for len(words) > 0 {
		name, value, hasValue := strings.Cut(words[0], "=")
		name = strings.TrimPrefix(strings.TrimLeft(name, "-"), "test.")
		isFlag := strings.HasPrefix(words[0], "-")
		words = words[1:]
		switch {
		case isFlag && name == "compare" && !hasValue:
			o.Compares = true
			continue
		case !isFlag || !slices.Contains(flags, name):
			return o, errors.New("the only options are -compare, -count N, -benchtime T, -cpu LIST and -bench RE; the code to measure begins in the next line")
		case !hasValue && len(words) == 0:
			return o, fmt.Errorf("the option -%s needs a value", name)
		case !hasValue:
			value, words = words[0], words[1:]
		}
		if err := check(name, value); err != nil {
			return o, err
		}
		o.Selects = o.Selects || name == "bench"
		o.Args = append(o.Args, "-test."+name+"="+value)
	}
	return o, nil
}

// check checks the value of a flag: package testing ends a program if a value is wrong.
func check(name, value string) error {
	isNumber := func(text string) bool {
		n, err := strconv.Atoi(text)
		return err == nil && n > 0
	}
	switch name {
	case "count":
		if !isNumber(value) {
			return fmt.Errorf("the option -count needs a number of measurements, not %q", value)
		}
	case "benchtime":
		times, isTimes := strings.CutSuffix(value, "x")
		if d, err := time.ParseDuration(value); (err != nil || d <= 0) && !(isTimes && isNumber(times)) {
			return fmt.Errorf("the option -benchtime needs a duration such as 1s, or a number of loops such as 100x, not %q", value)
		}
	case "cpu":
		for n := range strings.SplitSeq(value, ",") {
			if !isNumber(strings.TrimSpace(n)) {
				return fmt.Errorf("the option -cpu needs numbers of processors such as 1,2,4, not %q", value)
			}
		}
	default:
		_, err := regexp.Compile(value)
		return err
	}
	return nil
}
