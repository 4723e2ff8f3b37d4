package speedup

import (
	"fmt"
	"math"
	"strings"
)

// A Law predicts the speedup with n workers from one or two parameters.
type Law int

const (
	// Amdahl is Amdahl's law. It is for work of a fixed size, a share f of which is
	// serial:
	// S(n) = 1 / (f + (1 − f)/n).
	//
	// Source: G. M. Amdahl, Validity of the single processor approach, 1967.
	Amdahl Law = iota
	// USL is the Universal Scalability Law. It is for work of a fixed size. Workers
	// wait for each other (σ, contention), and each pair of workers exchanges data
	// (κ, coherency): S(n) = n / (1 + σ(n − 1) + κn(n − 1)).
	//
	// Source: N. J. Gunther, Guerrilla Capacity Planning, 2007.
	USL
	// Gustafson is Gustafson's law. It is for work that grows with the workers, which
	// spend a share s of the time on its serial part: S(n) = n − s(n − 1).
	//
	// Source: J. L. Gustafson, Reevaluating Amdahl's law, 1988.
	Gustafson
)

var laws = [...]struct {
	name, formula, tex string
	symbols            []string
}{
	Amdahl:    {"Amdahl's law", "S(n) = 1 / (f + (1 − f)/n)", `S(n) = \frac{1}{f + \frac{1 - f}{n}}`, []string{"f"}},
	USL:       {"Universal Scalability Law", "S(n) = n / (1 + σ(n − 1) + κn(n − 1))", `S(n) = \frac{n}{1 + \sigma(n-1) + \kappa n(n-1)}`, []string{"σ", "κ"}},
	Gustafson: {"Gustafson's law", "S(n) = n − s(n − 1)", `S(n) = n - s(n-1)`, []string{"s"}},
}

// String returns the law's name.
func (l Law) String() string { return laws[l].name }

// Formula returns the law as plain text.
func (l Law) Formula() string { return laws[l].formula }

// TeX returns the law in TeX's notation, without dollar signs.
func (l Law) TeX() string { return laws[l].tex }

// Speedup returns the speedup with n workers. parameters has the values of the law's
// parameters, in the order of its formula; their number must match.
func (l Law) Speedup(n float64, parameters ...float64) float64 {
	switch p := parameters; l {
	case Amdahl:
		return 1 / (p[0] + (1-p[0])/n)
	case USL:
		return n / (1 + p[0]*(n-1) + p[1]*n*(n-1))
	default:
		return n - p[0]*(n-1)
	}
}

// A Fit is a law fitted to a series. The fit uses only worker counts up to the number
// of cores: with more workers, it would count the lack of cores as serial work.
type Fit struct {
	Law        Law
	Parameters []Parameter
	Workers    []int // the worker counts that were used
}

// A Parameter is a parameter of a law. It is not negative. Each round gives one
// estimate. Value is the median of the estimates, with its interval.
type Parameter struct {
	Symbol string   // symbol in the law's formula, such as "σ"
	Value  Estimate // median of the estimates
}

// Speedup returns the speedup that the fit predicts for n workers.
func (f Fit) Speedup(n float64) float64 {
	values := make([]float64, len(f.Parameters))
	for i, p := range f.Parameters {
		values[i] = p.Value.Median
	}
	return f.Law.Speedup(n, values...)
}

// String returns the law, and its parameters with their intervals.
func (f Fit) String() string {
	parts := []string{f.Law.String()}
	for _, p := range f.Parameters {
		parts = append(parts, p.Symbol+" = "+formatParameter(p.Value))
	}
	return strings.Join(parts, ", ")
}

func formatParameter(e Estimate) string {
	text := fmt.Sprintf("%.3f", e.Median)
	if !math.IsNaN(e.Low) {
		text += fmt.Sprintf(" [%.3f, %.3f]", e.Low, e.High)
	}
	return text
}

// Fits returns the laws that can be fitted to Series[i]. It uses the worker counts from
// 2 to the number of cores, and returns nil if there are none. If the work grows with
// the workers, the law is Gustafson's. Otherwise it is Amdahl's, and, with at least
// three such counts, also the Universal Scalability Law.
func (r *Result) Fits(i int) []Fit {
	var used []int // indices of worker counts
	for w, n := range r.Workers {
		if n > 1 && float64(n) <= r.Cores {
			used = append(used, w)
		}
	}
	const minForUSL = 3
	switch {
	case len(used) == 0:
		return nil
	case r.Work != nil:
		return []Fit{r.fit(Gustafson, i, used)}
	case len(used) < minForUSL:
		return []Fit{r.fit(Amdahl, i, used)}
	}
	return []Fit{r.fit(Amdahl, i, used), r.fit(USL, i, used)}
}

func (r *Result) fit(law Law, series int, used []int) Fit {
	f := Fit{Law: law}
	for _, w := range used {
		f.Workers = append(f.Workers, r.Workers[w])
	}
	values := make([][]float64, len(laws[law].symbols)) // the values of each parameter, one for each round
	for i := range r.Rounds {
		points := make([]xy, len(used))
		for j, w := range used {
			points[j] = xy{float64(r.Workers[w]), r.ratio(&r.Rounds[i], series, w)}
		}
		for p, v := range law.parameters(points) {
			values[p] = append(values[p], v)
		}
	}
	for p, symbol := range laws[law].symbols {
		f.Parameters = append(f.Parameters, Parameter{symbol, estimate(values[p])})
	}
	return f
}

// An xy is a number of workers and its speedup.
type xy struct{ n, speedup float64 }

// parameters fits the law to points by least squares, in a form that is linear in the
// parameters, and returns them. None is below 0, and f and s are at most 1.
func (l Law) parameters(points []xy) []float64 {
	switch l {
	case Amdahl: // 1/S − 1/n = f(1 − 1/n)
		return []float64{min(1, slope(points, func(p xy) (x, y float64) { return 1 - 1/p.n, 1/p.speedup - 1/p.n }))}
	case Gustafson: // n − S = s(n − 1)
		return []float64{min(1, slope(points, func(p xy) (x, y float64) { return p.n - 1, p.n - p.speedup }))}
	}
	// n/S − 1 = σ(n − 1) + κn(n − 1)
	var aa, ab, bb, ay, by float64
	for _, p := range points {
		a, b, y := p.n-1, p.n*(p.n-1), p.n/p.speedup-1
		aa, ab, bb, ay, by = aa+a*a, ab+a*b, bb+b*b, ay+a*y, by+b*y
	}
	det := aa*bb - ab*ab
	sigma, kappa := (ay*bb-by*ab)/det, (by*aa-ay*ab)/det
	switch {
	case sigma < 0:
		sigma, kappa = 0, by/bb
	case kappa < 0:
		sigma, kappa = ay/aa, 0
	}
	return []float64{max(0, sigma), max(0, kappa)}
}

// slope fits a line through the origin and returns its slope, at least 0.
func slope(points []xy, of func(xy) (x, y float64)) float64 {
	var xx, both float64
	for _, p := range points {
		x, y := of(p)
		xx += x * x
		both += x * y
	}
	return max(0, both/xx)
}
