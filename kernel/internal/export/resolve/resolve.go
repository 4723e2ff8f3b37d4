package resolve

// Resolve finds the meaning of all names in the cells, and which versions of declarations the program needs.
// isDynamic reports whether a package may look for a method with this name at run time. If cells cannot be exported,
// the errors are in Errs.
func (b *Book) Resolve(isDynamic func(method string) bool) error {
	b.bind()
	b.check()
	if len(b.Errs) > 0 {
		return nil
	}
	b.classify()
	b.group()
	if err := b.infer(); err != nil {
		return err
	}
	b.checkNumbered()
	if len(b.Errs) > 0 {
		return nil
	}
	b.version()
	b.reach()
	b.checkDispatch()
	b.checkResets()
	b.checkMethods(isDynamic)
	return nil
}
