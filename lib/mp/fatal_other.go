//go:build !linux

package mp

// Elsewhere the page is not shared.
func noteFatal(budgetPage) {}
