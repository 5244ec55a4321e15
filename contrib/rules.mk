# SPDX-License-Identifier: ISC
#
# Rules of the Makefile that install (install, uninstall) and package (dist,
# distcheck, deb).

BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERDIR ?= $(PREFIX)/lib/sysusers.d
# The folder below which the systemd units look for configuration files.
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)

units     := $(notdir $(wildcard contrib/systemd/inetws*.s*))
examples  := $(sort $(patsubst contrib/%,%,$(shell find contrib -type f \
	! -path 'contrib/debian/*' ! -path 'contrib/systemd/inetws*' \
	! -path contrib/rules.mk ! -path contrib/quickstart \
	! -path 'contrib/release/*' ! -path 'contrib/html/*')) \
	$(patsubst tests/%,%,$(shell find tests/scenarios -type f \
	! -name '*.t' ! -path '*/__pycache__/*')))
EXDIR      = $(DOCDIR)/examples

# sed(1) commands for files as they are installed.  "placed" puts the folders of this
# installation into a file.  "page" does so for a page, makes its links point to
# installed files, and leaves out its parts about the source.
placed = sed -e 's,/usr/local/share/doc/inetws,$(DOCDIR),g' \
	-e 's,\(/usr/local\|/usr\)/bin/inetws,$(BINDIR)/inetws,g' \
	-e 's,/etc/inetws,$(SYSCONFDIR)/inetws,g'
page = $(placed) -e '/^<!-- source -->$$/,/^<!-- end -->$$/d' \
	-e 's,](\.\./\.\./\.\./contrib/,](../../,g' \
	-e 's,](\.\./tests/,](,g' \
	-e 's,](\(tests\|contrib\)/,](examples/,g'

# Folders that only inetws uses; uninstall removes them if they are empty.
own_dirs = $(sort $(addprefix $(EXDIR)/,$(filter-out ./,$(dir $(examples)))) \
	$(EXDIR) $(DOCDIR) $(SYSCONFDIR)/inetws)
installed = $(BINDIR)/inetws \
	$(patsubst man/%,$(MANDIR)/man1/%,$(wildcard man/*.1)) \
	$(patsubst man/%,$(MANDIR)/man7/%,$(wildcard man/*.7)) \
	$(BASHDIR)/inetws $(ZSHDIR)/_inetws $(FISHDIR)/inetws.fish \
	$(addprefix $(UNITDIR)/,$(units)) $(SYSUSERDIR)/inetws.conf \
	$(DOCDIR)/README.md $(DOCDIR)/LICENSE $(DOCDIR)/CHANGES \
	$(addprefix $(EXDIR)/,$(examples))

# The program prints its completions.  RUN is a command that runs the program
# if it was built for another machine.
$B/completions/%: $B/inetws
	@mkdir -p $(@D)
	$(RUN) $B/inetws --completions $* >$@.new
	mv $@.new $@

install: $B/inetws $B/completions/bash $B/completions/zsh $B/completions/fish
	install -d $(sort $(addprefix $(DESTDIR),$(dir $(installed)))) \
	    $(DESTDIR)$(SYSCONFDIR)/inetws
	install -m 755 $B/inetws $(DESTDIR)$(BINDIR)/inetws
	for f in man/*.[17]; do \
	    to=$(DESTDIR)$(MANDIR)/man$${f##*.}/$${f#man/}; \
	    $(placed) $$f >$$to && chmod 644 $$to || exit; done
	install -m 644 $B/completions/bash $(DESTDIR)$(BASHDIR)/inetws
	install -m 644 $B/completions/zsh $(DESTDIR)$(ZSHDIR)/_inetws
	install -m 644 $B/completions/fish $(DESTDIR)$(FISHDIR)/inetws.fish
	for f in $(units); do \
	    $(placed) contrib/systemd/$$f >$(DESTDIR)$(UNITDIR)/$$f && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$f || exit; done
	install -m 644 contrib/systemd/sysusers.conf \
	    $(DESTDIR)$(SYSUSERDIR)/inetws.conf
	install -m 644 LICENSE CHANGES $(DESTDIR)$(DOCDIR)
	$(page) README.md >$(DESTDIR)$(DOCDIR)/README.md
	chmod 644 $(DESTDIR)$(DOCDIR)/README.md
	for f in $(examples); do \
	    from=contrib/$$f to=$(DESTDIR)$(EXDIR)/$$f mode=644; \
	    [ -e $$from ] || from=tests/$$f; \
	    [ ! -x $$from ] || mode=755; \
	    case $$f in *.md) $(page) ;; *) $(placed) ;; esac <$$from >$$to && \
	    chmod $$mode $$to || exit; done

# Removes what was installed; configuration files of the user stay.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(installed))
	for d in $$(printf '%s\n' $(own_dirs) | sort -r); do \
	    [ ! -d $(DESTDIR)$$d ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$$d || exit; done

# The tarball is reproducible: the same tree makes the same bytes.
dist_name = inetws-$(VERSION)
tarball   = $B/$(dist_name).tar.gz
$(tarball): FORCE
	@mkdir -p $B
	tar --exclude-vcs --exclude='./build*' --exclude='__pycache__' \
	    --exclude='./*.tar.gz' --sort=name --format=ustar \
	    --owner=0 --group=0 --numeric-owner \
	    --mtime='@$(or $(SOURCE_DATE_EPOCH),0)' --mode=u+rw,go+r-w \
	    --transform='s,^\.,$(dist_name),' -cf - . | gzip -n9 >$@.new
	mv $@.new $@

dist: $(tarball)
	cp $(tarball) .

# Checks that the tarball is complete: builds, tests, installs and uninstalls
# from it, and makes the same tarball again.  CHECK=unit runs only the unit tests.
CHECK ?= check
distcheck: lint $(tarball)
	rm -rf $B/distcheck && mkdir -p $B/distcheck
	tar -xzf $(tarball) -C $B/distcheck
	cp $(tarball) $B/distcheck/first.tar.gz
	$(distcheck_make) dist
	cmp $B/distcheck/first.tar.gz $(distcheck_tree)/$(dist_name).tar.gz
	$(distcheck_make) all unit
	$(distcheck_make) $(CHECK)
	$(distcheck_make) install DESTDIR=$(abspath $B/distcheck/root)
	$(abspath $B/distcheck/root)$(BINDIR)/inetws --version
	$(distcheck_make) uninstall DESTDIR=$(abspath $B/distcheck/root)
	! find $B/distcheck/root ! -type d | grep .
	! find $B/distcheck/root -name '*inetws*' | grep .
	$(distcheck_make) clean
	rm -rf $B/distcheck
	@echo "$(tarball) is good"

distcheck_tree = $B/distcheck/$(dist_name)
distcheck_make = env -u MAKEFLAGS -u MAKEOVERRIDES $(MAKE) -C $(distcheck_tree)

# Builds build/deb/inetws_VERSION_ARCH.deb from contrib/debian in a copy.
deb: $(tarball)
	rm -rf $B/deb && mkdir -p $B/deb
	tar -xzf $(tarball) -C $B/deb
	cp -r contrib/debian $B/deb/$(dist_name)/debian
	cd $B/deb/$(dist_name) && env -u MAKEFLAGS -u MAKEOVERRIDES \
	    dpkg-buildpackage -us -uc
	rm -rf $B/deb/$(dist_name)
	@ls $B/deb/*.deb

# Static programs with musl as the C library (contrib/release).
RELEASE ?= x86_64 aarch64 armv7
release:
	contrib/release/build $(RELEASE)

# Compiles and links for macOS; works on Linux too.
check-macos:
	contrib/release/build macos-arm64 macos-x86_64

FORCE:
.PHONY: check-macos release install uninstall dist distcheck deb FORCE

# Tests on other architectures (contrib/release/check-arch); ARCH='arm64 s390x' chooses.
check-arch:
	contrib/release/check-arch $(ARCH)

.PHONY: check-arch

# The manuals as a static site.
html:
	contrib/html/build $B/html

.PHONY: html
