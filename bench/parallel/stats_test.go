package main

import "testing"

func TestRatioOf(t *testing.T) {
	r := ratioOf([]float64{20, 21, 19, 20, 22}, []float64{10, 10, 11, 9, 10})
	if r.median != 2 || r.low > 2 || r.high < 2 || r.low < 1.7 || r.high > 2.5 {
		t.Errorf("got %+v", r)
	}
}

func TestSummarize(t *testing.T) {
	s := summarize([]float64{5, 1, 3, 2, 4})
	if s.median != 3 || s.low < 1 || s.high > 5 || s.low > 3 || s.high < 3 {
		t.Errorf("got %+v", s)
	}
}

func TestEveryMeasureHasSomethingToCompareWith(t *testing.T) {
	for _, m := range measures() {
		if m.ours == nil || (m.python == "") == (m.base == nil) {
			t.Errorf("%s is incomplete", m.name)
		}
	}
}
