package copycheck_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/perijove/perijove/lib/mp/copycheck"
)

func TestAnalyzer(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), copycheck.Analyzer, "a")
}
