// SPDX-License-Identifier: GPL-2.0
/*
 * libvirt's QEMU driver runs inside this process, without a daemon; its state
 * is in the run's folder. Only what QEMU said about itself is kept across
 * runs, since asking takes seconds. With --connect a daemon elsewhere runs the VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch.h"
#include "domain.h"
#include "remote.h"
#include "util.h"

/*
 * No security driver, no cgroups, no namespaces, no change of owners: the VM
 * reads and writes this run's files as the user who started it.
 */
static const char qemu_conf[] =
	"stdio_handler = \"file\"\n"
	"user = \"+%u\"\n"
	"group = \"+%u\"\n"
	"dynamic_ownership = 0\n"
	"remember_owner = 0\n"
	"security_driver = \"none\"\n"
	"namespaces = []\n"
	"cgroup_controllers = []\n"
	"max_core = 0\n";

/* Of files there; the last line's output is passed on while the VM runs. */
static const char * const serial_names[DOMAIN_SERIALS] = { "console", "token", "files", "output" };
#define LIVE_SERIAL	(DOMAIN_SERIALS - 1)

static virConnectPtr connection;
static virDomainPtr domain;
static const struct domain_config *started;
static int ended = -1;

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write_all(fd, text, strlen(text)))
		die("cannot write %s: %s", path, strerror(errno));
	close(fd);
}

/* Makes libvirt's root: its configuration, and its cache as a link to ours. */
static void make_root(const char *root)
{
	char *etc = format("%s/etc", root), *conf = format("%s/qemu.conf", etc);
	char *text = format(qemu_conf, geteuid(), getegid());
	char *kept = format("%s/libvirt", cache_folder());
	char *link = format("%s/cache", root);

	if (make_folders(etc))
		die("cannot make %s: %s", etc, strerror(errno));
	write_text(conf, text);
	/* Without the link libvirt makes a folder of its own, and is slower. */
	if (!make_folders(kept) && symlink(kept, link))
		die("cannot make %s: %s", link, strerror(errno));
	free(etc);
	free(conf);
	free(text);
	free(kept);
	free(link);
}

static char *xml_escape(const char *text)
{
	char *result = xalloc(strlen(text) * 6 + 1), *at = result;

	for (; *text; text++) {
		switch (*text) {
		case '&':
			at = stpcpy(at, "&amp;");
			break;
		case '<':
			at = stpcpy(at, "&lt;");
			break;
		case '>':
			at = stpcpy(at, "&gt;");
			break;
		case '\'':
			at = stpcpy(at, "&apos;");
			break;
		default:
			*at++ = *text;
		}
	}
	return result;
}

static char *serial_xml(const struct domain_config *config)
{
	char *all = format("%s", "");

	for (int i = 0; i < DOMAIN_SERIALS; i++) {
		char *path = xml_escape(config->serial[i]), *more;
		char *target = config->machine.arch->serial_xml(i);

		more = config->connect && i == LIVE_SERIAL ?
			format("%s<serial type='pty'><log file='%s' append='off'/>%s</serial>\n",
			       all, path, target) :
			format("%s<serial type='file'><source path='%s'/>%s</serial>\n",
			       all, path, target);
		free(path);
		free(target);
		free(all);
		all = more;
	}
	return all;
}

/*
 * The guest's clock starts at the same time, and follows its instructions even while it
 * waits; its identity, which its kernel takes for chance, is the same.
 */
static const char deterministic_xml[] =
	"<uuid>5ec33300-0000-4000-8000-000000000001</uuid>\n"
	"<clock offset='absolute' start='1767225600'><timer name='rtc' track='guest'/></clock>\n";

/* What libvirt has no words for. */
static char *qemu_xml(const struct domain_config *config)
{
	char *machine = machine_qemu_xml(&config->machine);
	char *plugin = config->plugin ? format("<qemu:arg value='-plugin'/>"
					       "<qemu:arg value='%s'/>", config->plugin) :
		       format("%s", "");
	char *icount = config->deterministic ?
		format("<qemu:arg value='-icount'/>"
		       "<qemu:arg value='shift=%d,sleep=off'/>"
		       "<qemu:arg value='-seed'/><qemu:arg value='%u'/>",
		       DOMAIN_ICOUNT_SHIFT, config->seed) : format("%s", "");
	char *gdb = config->gdb ? format("<qemu:arg value='-gdb'/>"
					 "<qemu:arg value='unix:%s,server=on,wait=off'/>",
					 config->gdb) : format("%s", "");
	char *xml = format("<qemu:commandline>%s%s%s%s</qemu:commandline>\n", machine, icount,
			   plugin, gdb);

	free(machine);
	free(plugin);
	free(icount);
	free(gdb);
	return xml;
}

static char *devices_xml(const struct domain_config *config)
{
	char *emulator = *config->emulator == '/' ?
		format("<emulator>%s</emulator>\n", config->emulator) : format("%s", "");
	char *serials = serial_xml(config), *machine = machine_devices_xml(&config->machine);
	char *xml = format("<devices>\n%s"
			   "<controller type='usb' model='none'/>\n"
			   "<memballoon model='none'/>\n"
			   "<video><model type='none'/></video>\n"
			   "%s%s</devices>\n", emulator, machine, serials);

	free(emulator);
	free(serials);
	free(machine);
	return xml;
}

static char *domain_xml(const struct domain_config *config)
{
	char *image = xml_escape(config->image);
	char *initramfs = xml_escape(config->initramfs);
	char *arguments = xml_escape(config->arguments);
	char *machine = machine_xml(&config->machine);
	char *devices = devices_xml(config), *qemu = qemu_xml(config);
	char *xml;

	xml = format("<domain type='%s' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
		     "<name>%s</name>\n%s"
		     "<os><type arch='%s' machine='%s'>hvm</type>\n"
		     "<kernel>%s</kernel><initrd>%s</initrd>\n"
		     "<cmdline>%s</cmdline></os>\n"
		     "<on_poweroff>destroy</on_poweroff>\n"
		     "<on_reboot>destroy</on_reboot>\n"
		     "<on_crash>destroy</on_crash>\n"
		     "%s%s%s%s</domain>\n",
		     config->machine.kvm ? "kvm" : "qemu", strrchr(config->run, '/') + 1,
		     machine, config->machine.arch->libvirt, machine_name(&config->machine),
		     image, initramfs, arguments,
		     config->deterministic ? deterministic_xml : "", devices, qemu,
		     config->machine.arch->domain_xml);
	free(image);
	free(initramfs);
	free(arguments);
	free(machine);
	free(devices);
	free(qemu);
	return xml;
}

static void quiet_error(void *opaque, virErrorPtr error)
{
	(void)opaque;
	(void)error;	/* whoever called libvirt asks for it */
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event,
			int detail, void *opaque)
{
	uint64_t one = 1;

	(void)conn;
	(void)dom;
	(void)detail;
	(void)opaque;
	/*
	 * After the guest's power-off or reset QEMU only waits to be ended;
	 * libvirt takes a second more to do that than the run's guard.
	 */
	if (event == VIR_DOMAIN_EVENT_SHUTDOWN || event == VIR_DOMAIN_EVENT_STOPPED)
		return write(ended, &one, sizeof(one)) < 0 ? -1 : 0;
	return 0;
}

static void *run_events(void *opaque)
{
	(void)opaque;
	while (!virEventRunDefaultImpl())
		;
	return NULL;
}

/* Wakes the event loop now and then: it may have nothing to wait for. */
static void on_tick(int timer, void *opaque)
{
	(void)timer;
	(void)opaque;
}

static void start_events(void)
{
	pthread_t thread;

	if (virEventRegisterDefaultImpl() < 0 ||
	    virEventAddTimeout(1000, on_tick, NULL, NULL) < 0 ||
	    pthread_create(&thread, NULL, run_events, NULL))
		die("cannot start libvirt's event loop");
	pthread_detach(thread);
}

/* The VM @of, or all. */
static void register_end(virDomainPtr of)
{
	if (virConnectDomainEventRegisterAny(connection, of,
					     VIR_DOMAIN_EVENT_ID_LIFECYCLE,
					     VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle),
					     NULL, NULL) < 0)
		die("libvirt: %s", virGetLastErrorMessage());
}

static void create(const struct domain_config *config, unsigned int flags)
{
	char *xml = domain_xml(config);

	domain = virDomainCreateXML(connection, xml, flags);
	if (!domain)
		die("cannot start the VM: %s", virGetLastErrorMessage());
	free(xml);
}

/* By libvirt's QEMU driver inside this process. */
static void start_here(const struct domain_config *config)
{
	char *root = format("%s/v", config->run);
	char *uri = format("qemu:///embed?root=%s", root);
	char *log = format("3:file:%s/libvirt.log", config->run);

	make_root(root);
	setenv("LIBVIRT_LOG_OUTPUTS", log, 1);
	start_events();
	connection = virConnectOpen(uri);
	if (!connection)
		die("libvirt cannot be used (is setup.sh done?): %s",
		    virGetLastErrorMessage());
	register_end(NULL);
	create(config, VIR_DOMAIN_NONE);
	free(log);
	free(uri);
	free(root);
}

static virConnectPtr connect_to(const char *uri)
{
	virConnectPtr to;

	virSetErrorFunc(NULL, quiet_error);
	to = virConnectOpen(uri);
	if (!to)
		die("--connect %s: %s", uri, virGetLastErrorMessage());
	return to;
}

static void on_close(virConnectPtr conn, int reason, void *opaque)
{
	uint64_t one = 1;

	(void)conn;
	(void)reason;
	(void)opaque;
	if (write(ended, &one, sizeof(one)) < 0)
		say("cannot tell that the connection was lost");
}

/*
 * By a daemon, whose host has none of the files here. The VM is paused until its output has a
 * reader; the daemon ends it when this program has gone.
 */
static void start_elsewhere(const struct domain_config *config)
{
	struct domain_config there = *config;
	char *alias = format("serial%d", LIVE_SERIAL);

	start_events();
	connection = connect_to(config->connect);
	/* Not all of them have it; a host that has died then shows by the VM's limit of time. */
	virConnectSetKeepAlive(connection, 5, 3);
	virConnectRegisterCloseCallback(connection, on_close, NULL, NULL);
	remote_begin(connection, strrchr(config->run, '/') + 1);
	there.image = remote_put("kernel", config->image);
	there.initramfs = remote_put("initramfs", config->initramfs);
	for (int i = 0; i < DOMAIN_SERIALS; i++)
		there.serial[i] = remote_put(serial_names[i], NULL);
	create(&there, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
	register_end(domain);
	remote_listen(domain, alias, config->serial[LIVE_SERIAL]);
	if (virDomainResume(domain))
		die("cannot start the VM: %s", virGetLastErrorMessage());
	free(alias);
}

int domain_start(const struct domain_config *config)
{
	virSetErrorFunc(NULL, quiet_error);
	ended = eventfd(0, EFD_CLOEXEC);
	if (ended < 0)
		die("eventfd: %s", strerror(errno));
	started = config;
	if (config->connect)
		start_elsewhere(config);
	else
		start_here(config);
	return ended;
}

bool domain_offers_kvm(const char *uri, const struct machine *machine)
{
	virConnectPtr to = connect_to(uri);
	char *offer = virConnectGetDomainCapabilities(to, NULL, machine->arch->libvirt,
						      machine_name(machine), "kvm", 0);
	bool offers = offer != NULL;

	free(offer);
	virConnectClose(to);
	return offers;
}

char *domain_ask(const char *question)
{
	char *answer = NULL;

	if (virDomainQemuMonitorCommand(domain, question, &answer,
					VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) < 0)
		return NULL;
	return answer;
}

void domain_destroy(void)
{
	virDomainDestroy(domain);	/* fails when it has ended, which is fine */
	if (started->connect) {
		remote_drain();
		for (int i = 0; i < DOMAIN_SERIALS; i++)
			remote_get(serial_names[i], started->serial[i]);
		remote_end();
	}
	virDomainFree(domain);
	virConnectClose(connection);
}
