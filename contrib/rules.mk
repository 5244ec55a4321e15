# SPDX-License-Identifier: ISC
#
# What goes where, and what is made of it: install and uninstall, dist and
# distcheck, deb.

BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
FISHDIR    ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERDIR ?= $(PREFIX)/lib/sysusers.d
# The units look for configuration files below it.
SYSCONFDIR ?= /etc

units    := $(notdir $(wildcard contrib/systemd/inetws*.s*))
examples := $(sort $(patsubst contrib/%,%,$(shell find contrib -type f \
	! -path 'contrib/debian/*' ! -path 'contrib/systemd/inetws*' \
	! -path contrib/rules.mk ! -path contrib/quickstart)))
EXDIR     = $(DOCDIR)/examples

# Folders that are nobody else's.
own_dirs = $(sort $(addprefix $(EXDIR)/,$(filter-out ./,$(dir $(examples)))) \
	$(EXDIR) $(DOCDIR) $(SYSCONFDIR)/inetws)
installed = $(BINDIR)/inetws \
	$(patsubst man/%,$(MANDIR)/man1/%,$(wildcard man/*.1)) \
	$(patsubst man/%,$(MANDIR)/man7/%,$(wildcard man/*.7)) \
	$(BASHDIR)/inetws $(ZSHDIR)/_inetws $(FISHDIR)/inetws.fish \
	$(addprefix $(UNITDIR)/,$(units)) $(SYSUSERDIR)/inetws.conf \
	$(DOCDIR)/README.md $(DOCDIR)/LICENSE $(addprefix $(EXDIR)/,$(examples))

# The program writes them itself: RUN is what runs it, if it is for another
# machine.
$B/completions/%: $B/inetws
	@mkdir -p $(@D)
	$(RUN) $B/inetws --completions $* >$@.new
	mv $@.new $@

install: $B/inetws $B/completions/bash $B/completions/zsh $B/completions/fish
	install -d $(sort $(addprefix $(DESTDIR),$(dir $(installed)))) \
	    $(DESTDIR)$(SYSCONFDIR)/inetws
	install -m 755 $B/inetws $(DESTDIR)$(BINDIR)/inetws
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7
	install -m 644 $B/completions/bash $(DESTDIR)$(BASHDIR)/inetws
	install -m 644 $B/completions/zsh $(DESTDIR)$(ZSHDIR)/_inetws
	install -m 644 $B/completions/fish $(DESTDIR)$(FISHDIR)/inetws.fish
	for f in $(units); do \
	    sed 's,/usr/bin/inetws,$(BINDIR)/inetws,' contrib/systemd/$$f \
		>$(DESTDIR)$(UNITDIR)/$$f && \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$f || exit; done
	install -m 644 contrib/systemd/sysusers.conf \
	    $(DESTDIR)$(SYSUSERDIR)/inetws.conf
	install -m 644 README.md LICENSE $(DESTDIR)$(DOCDIR)
	for f in $(examples); do \
	    mode=644; [ ! -x contrib/$$f ] || mode=755; \
	    install -m $$mode contrib/$$f $(DESTDIR)$(EXDIR)/$$f || exit; done

# Configuration that somebody wrote stays.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(installed))
	for d in $$(printf '%s\n' $(own_dirs) | sort -r); do \
	    [ ! -d $(DESTDIR)$$d ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$$d || exit; done

# Two runs over the same tree make the same bytes.
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

# Is the tarball all it takes?  Built, tested, installed and removed from it,
# and it makes the same tarball again.  CHECK=unit is shorter.
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

# From contrib/debian, in a copy: build/deb/inetws_VERSION_ARCH.deb.
deb: $(tarball)
	rm -rf $B/deb && mkdir -p $B/deb
	tar -xzf $(tarball) -C $B/deb
	cp -r contrib/debian $B/deb/$(dist_name)/debian
	cd $B/deb/$(dist_name) && env -u MAKEFLAGS -u MAKEOVERRIDES \
	    dpkg-buildpackage -us -uc
	rm -rf $B/deb/$(dist_name)
	@ls $B/deb/*.deb

FORCE:
.PHONY: install uninstall dist distcheck deb FORCE
