package image

import (
	"testing"

	"github.com/perijove/perijove"
)

func TestOpen(t *testing.T) {
	m, err := Open(t.Context(), Options{Source: perijove.Source, CacheDir: "/tmp/pjcache", Log: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(m.Dir)
}
