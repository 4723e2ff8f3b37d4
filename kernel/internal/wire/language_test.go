package wire

import "testing"

func TestGoLanguageHasNoPatchRelease(t *testing.T) {
	for toolchain, want := range map[string]string{"1.26.8": "1.26", "1.27rc1": "1.27", "1.26": "1.26", "unknown": "unknown"} {
		if got := GoLanguage(toolchain).Version; got != want {
			t.Errorf("toolchain %s has language version %q, want %q", toolchain, got, want)
		}
	}
}
