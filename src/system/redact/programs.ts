/**
 * Where programs take a secret in their arguments, or at standard input, when no telling name stands beside it.
 *
 * A row is names of programs and rules. `-p`: the word after it. `-p*`: in the same word. `-p?`: either. `-u:`:
 * what follows the first `:` of `user:secret` there, also with `%`, `,` or `/` in its place. `+-r`: takes a value that is
 * no secret. `@2`: the second argument that is no flag; `@last`. `word!`: what follows that word. `=*`: the values of all
 * NAME=value. `~`: the word after a telling name. `<`: all of standard input. `login>-p`: only after that word, or words joined by `/`; `@` counts from there.
 */
const table: readonly (readonly [names: string, rules: string])[] = [
  // Databases
  [
    "mysql mysqldump mysqladmin mysqlcheck mysqlimport mysqlshow mysqlslap mysqlpump mysqlbinlog mysqlsh mysql_upgrade mysqlhotcopy mariadb mariadb-dump mariadb-admin mariadb-check mariadb-import mariadb-backup mariadb-binlog mydumper myloader innobackupex xtrabackup mytop mycli mysqltuner mysqltuner.pl pt-query-digest pt-table-checksum",
    "-p*",
  ],
  [
    "mydumper myloader mytop pt-query-digest pt-table-checksum mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop mongofiles cqlsh hdbsql beeline cypher-shell influx clickhouse-client pgbouncer-cli arangosh arangodump couchbase-cli cbq",
    "-p?",
  ],
  [
    "redis-cli keydb-cli valkey-cli redis-benchmark",
    "-a AUTH! auth! AUTH>@2 HELLO>@3 requirepass! masterauth! set>~ SET>~",
  ],
  ["sqlcmd bcp tsql mssql-cli osql", "-P?"],
  ["isql iusql", "@3"],
  ["isql-fb gbak gfix gsec gstat", "-pas -password -pw"],
  ["sqlplus rman expdp impdp exp imp sqlldr tnsping dgmgrl", "@1/"],
  ["db2", "using! new!"],
  ["vsql", "-w?"],
  ["nodetool", "-pw"],
  ["etcdctl", "--user: add>@1: passwd>@2 --password"],
  ["neo4j-admin", "set-initial-password>@1"],
  ["elasticsearch-users", "-p?"],
  ["rabbitmqctl", "add_user>@2 change_password>@2 authenticate_user>@2"],
  ["rabbitmqadmin", "-p?"],
  ["mosquitto_pub mosquitto_sub mosquitto_rr", "-P -pw"],
  ["mosquitto_passwd", "-b>@3"],
  ["mqtt nats", "-pw"],
  ["memccat memcp", "-p"],
  // Remote shells, files and desktops
  ["sshpass", "-p?"],
  ["plink pscp psftp putty kitty klink", "-pw"],
  ["puttygen", "--new-passphrase --old-passphrase"],
  ["ssh-keygen", "-N -P"],
  [
    "ssh-add su kinit kpasswd kdb5_util passwd chpasswd chgpasswd smbpasswd vncpasswd wpa_passphrase mkpasswd cryptsetup veracrypt cryptmount encfs gocryptfs ecryptfs-add-passphrase ecryptfs-unwrap-passphrase systemd-creds debconf-set-selections pinentry saslpasswd2 pdbedit openconnect openvpn secret-tool keepassxc-cli bw grub-mkpasswd-pbkdf2 slappasswd clevis pkcs15-init opensc-tool bootctl systemd-cryptenroll newusers ldappasswd ykman oathtool age gpg gpg2 gpgsm steghide ansible-vault argon2 bcrypt kwallet-query",
    "<",
  ],
  ["sudo doas", "-S>< -kS>< -Sk>< -nS>< -Sv>< -SE>< -ES>< --stdin><"],
  ["htpasswd", "-i>< -ni>< -nBi>< -ci>< -Bi>< -Bci><"],
  ["openssl", "stdin>< -stdin>< enc>< fd:0><"],
  ["docker podman nerdctl buildah skopeo crane helm oras regctl ctr", "--password-stdin>< secret/create><"],
  [
    "docker podman nerdctl buildah skopeo crane helm oras regctl oc cf az ibmcloud argocd faas-cli balena nordvpn firebase mega-login protonvpn-cli",
    "login>-p?",
  ],
  [
    "gh glab",
    "--with-token>< --stdin>< secret/set>< secret/set>--body secret/set>-b variable/set>-b glab>-t auth/login>-t",
  ],
  [
    "vercel wrangler supabase firebase heroku flyctl fly railway",
    "secret/put>< secrets/set>=* -t config:set>=* secrets:set>=*",
  ],
  ["ftp-upload ncftp ncftpput ncftpget ncftpls", "-p"],
  ["lftp", "-u, -p"],
  [
    "curl wget http https xh aria2c ntfy httpie hey wrk ab bombardier oha",
    "-u: --user: --proxy-user: -U: -a: --auth: -A: --oauth2-bearer -P:",
  ],
  ["smbclient smbget rpcclient net winexe wmic smbcacls smbcquotas smbspool nmblookup", "-U% --user%"],
  [
    "smbmap nxc crackmapexec netexec evil-winrm enum4linux-ng bloodhound-python ldapdomaindump kerbrute psexec psexec64 PsExec hydra medusa patator xfreerdp rdesktop freerdp",
    "-p?",
  ],
  ["evil-winrm nxc crackmapexec", "-H"],
  ["xfreerdp wlfreerdp xfreerdp3 sdl-freerdp", "/p:* /gp:*"],
  ["net net.exe net1", "use>@3 user>@2"],
  ["cmdkey", "/pass:* /pass"],
  ["schtasks", "/rp /RP /p /P"],
  ["setspn ktpass", "/pass -pass"],
  ["x11vnc tightvncserver vncserver Xvnc", "-passwd"],
  ["ncrack", "--pass"],
  // Directories and Kerberos
  [
    "ldapsearch ldapmodify ldapadd ldapdelete ldappasswd ldapwhoami ldapcompare ldapmodrdn ldapexop dsconf dsidm dsctl ldapvi",
    "-w?",
  ],
  ["ldappasswd", "-s -a"],
  ["slappasswd", "-s"],
  ["ipa-client-install ipa-server-install ipa-replica-install", "-w -p -a"],
  ["kadmin kadmin.local ktutil", "-w -pw! add>-p"],
  ["samba-tool", "user/create>@2 user/add>@2 user/setpassword>--newpassword"],
  ["smbpasswd", "-a>@2 -w"],
  // Archives, keys and disks
  ["7z 7za 7zr 7zz p7zip rar unrar wrar", "-p* -hp*"],
  ["zip unzip zipcloak zipnote funzip", "-P?"],
  ["unar lsar", "-p -password"],
  ["arj", "-g*"],
  ["ccrypt ccdecrypt ccencrypt", "-K"],
  ["mcrypt mdecrypt", "-k"],
  ["aescrypt", "-p?"],
  ["steghide outguess stegseek", "-p -k"],
  ["qpdf", "--encrypt>@1 --encrypt>@2"],
  ["pdftk", "user_pw! owner_pw! input_pw!"],
  ["pdftotext pdftoppm pdfimages pdfinfo pdftocairo", "-upw -opw"],
  ["mutool", "-p"],
  ["openssl", "-k -K -hmac -pass -passin -passout -passwd -psk -srppass passwd>@last -macopt"],
  [
    "keytool jarsigner apksigner",
    "-storepass -keypass -srcstorepass -deststorepass -srckeypass -destkeypass -new",
  ],
  ["apksigner", "--ks-pass --key-pass"],
  ["signtool", "/p"],
  ["signcode osslsigncode", "-pass"],
  ["cryptcat", "-k"],
  ["veracrypt truecrypt", "-p? --password"],
  ["dislocker dislocker-fuse", "-u* -p*"],
  ["apfs-fuse", "-r"],
  [
    "tpm2_create tpm2_createprimary tpm2_unseal tpm2_sign tpm2_load tpm2_changeauth tpm2_nvread tpm2_nvwrite tpm2_nvdefine tpm2_clear",
    "-p -P",
  ],
  ["pkcs11-tool", "-p --pin --so-pin --new-pin"],
  ["yubico-piv-tool", "-P -N -k*"],
  ["ykman", "-p -P -n change-pin>-P change-puk>-p -c -m"],
  ["ykpersonalize", "-c* -a*"],
  ["oathtool", "@last +-w +-d +-N"],
  ["totp totp-cli 2fa mintotp", "@last"],
  // Accounts of this machine
  ["useradd usermod", "-p?"],
  ["mkpasswd", "@1 +-m +-S +-R +-P"],
  [
    "htpasswd",
    "-b>@last -nb>@last -nbB>@last -bc>@last -cb>@last -Bb>@last -bB>@last -cbB>@last -bcB>@last -Bbc>@last -bn>@last -nbm>@last -Bbn>@last -bnBC>@last -nbBC>@last -mb>@last -bm>@last -bs>@last",
  ],
  ["dscl", "-passwd>@last"],
  ["sysadminctl", "-password -adminPassword -newPassword"],
  ["security", "-w -p -P -k"],
  ["virt-customize virt-builder virt-sysprep guestfish", "--root-password --password"],
  ["virsh", "secret-set-value>@2 --base64 set-user-password>@3"],
  ["pct qm", "--password --cipassword"],
  ["keyctl", "add>@3 padd>< update>@2 pupdate><"],
  // Radio, telephones and networks
  ["wpa_passphrase", "@2"],
  ["wpa_cli", "psk! password! wep_key0! wps_pin>@2 wps_reg>@2 pin>@2 passphrase>@2 sae_password!"],
  ["hostapd_cli", "wps_pin>@2"],
  [
    "nmcli",
    "password! wifi-sec.psk! 802-11-wireless-security.psk! wep-key0! wifi-sec.wep-key0! 802-1x.password! 802-1x.private-key-password! gsm.password! gsm.pin! vpn.secrets! wireguard.private-key!",
  ],
  ["iwctl", "--passphrase -P"],
  ["iwconfig iw", "key!"],
  ["wg awg", "private-key! preshared-key!"],
  ["netsh", "key!"],
  ["networksetup", "-setairportnetwork>@3"],
  ["reaver", "-p"],
  [
    "snmpwalk snmpget snmpset snmpbulkwalk snmpbulkget snmpgetnext snmptrap snmpinform snmpstatus snmptable snmpdf snmptest snmpusm",
    "-A -X -c -Ka -Kx",
  ],
  ["onesixtyone snmp-check braa", "-c"],
  ["check_snmp", "-C -A -X -P -c"],
  [
    "check_mysql check_pgsql check_ldap check_ftp check_http check_imap check_smtp check_nt check_by_ssh",
    "-p? -a: -P -s",
  ],
  ["ipmitool ipmi-sensors ipmipower bmc-info ipmiutil", "-P?"],
  [
    "fence_ipmilan fence_idrac fence_ilo fence_apc fence_vmware_soap fence_virsh fence_drac5 fence_apc_snmp fence_ilo4",
    "-p?",
  ],
  ["racadm ilorest hponcfg onecli perccli", "-p?"],
  ["mmcli", "--pin --puk"],
  ["qmicli mbimcli", "--uim-verify-pin --dms-uim-verify-pin --enter-pin"],
  ["gammu", "entersecuritycode>@2"],
  ["mullvad", "account/login>@1"],
  ["expressvpn", "activate>@1"],
  ["zerotier-cli", "-T*"],
  ["ss-local ss-server ss-redir ss-tunnel sslocal ssserver edge supernode brook trojan-go", "-k -p"],
  ["chisel", "--auth:"],
  ["frpc frps", "-t"],
  ["ngrok", "authtoken! add-authtoken!"],
  ["fs_cli", "-p?"],
  ["sipp", "-ap"],
  ["asterisk", "password!"],
  // Mail and chat
  ["swaks", "-ap --ap"],
  ["sendemail sendEmail", "-xp"],
  ["mutt neomutt", "-p"],
  ["doveadm", "pw>-p auth/test>@2 auth/login>@2"],
  ["testsaslauthd", "-p"],
  ["ejabberdctl prosodyctl", "register>@3 change_password>@3 passwd>@2 check_password>@3"],
  ["irssi", "-w?"],
  ["sendxmpp", "-p"],
  ["signal-cli", "verify>@1 setPin>@1 -p"],
  ["twilio", "login>@2"],
  // Secrets, clouds and packages
  [
    "vault bao",
    "login>@1 login>< unseal>@1 operator/unseal>@1 revoke>@1 token/lookup>@1 unwrap>@1 token/renew>@1",
  ],
  ["bw", "login>@2 unlock>@1 --session"],
  ["lpass", "login><"],
  ["pass gopass", "insert><"],
  ["op", "signin><"],
  [
    "aws",
    "--secret-string --password --value secretsmanager>--secret-string --temporary-password --old-password --new-password",
  ],
  ["az", "secret/set>--value --account-key --sas-token"],
  ["doctl hcloud linode-cli civo scw vultr-cli exo", "-t"],
  ["mc mcli", "set>@4 add>@4 user/add>@3"],
  ["s3cmd", "--secret_key"],
  ["rclone", "obscure>@1 obscure>< pass!"],
  ["kopia restic rustic", "-p"],
  ["b2", "authorize-account>@2 authorize_account>@2 authorize>@2"],
  ["kubectl oc k3s microk8s", "generic>=* secret/create>=*"],
  ["git-credential-store git-credential-cache git-credential git", "credential><"],
  ["influx", "-t"],
  [
    "npm yarn pnpm poetry git pip pip3 composer gh glab gcloud aws az snap occ config wp drush n8n grafana-cli sf sfdx netlify pulumi consul etcdctl kubectl rclone",
    "config>~ set>~ put>~ create>~",
  ],
  ["poetry", "publish>-p http-basic>@3"],
  ["twine", "-p"],
  ["cargo", "login>@1"],
  ["ansible-vault", "encrypt_string>@1 +--name +-n +--vault-id"],
  ["setx", "~"],
  ["gem", "-k --key"],
  ["composer", "config>@last"],
  ["dotnet nuget", "-k --api-key setapikey>@1 setApiKey>@1 push>-k"],
  ["snyk", "auth>@1"],
  ["wandb", "login>@1"],
  ["codecov coveralls", "-t"],
  ["llm", "--value"],
  ["openai", "-k"],
  ["jenkins-cli jcli", "-auth:"],
  ["grafana-cli grafana", "reset-admin-password>@1"],
  ["gitlab-runner", "-r"],
  ["icinga2", "--ticket"],
  ["knife", "-P"],
  ["pscale turso influxd", "--token"],
  ["yt-dlp youtube-dl gallery-dl streamlink", "-p -2 --twofactor --video-password --ap-password"],
  ["transmission-remote", "-n: --auth:"],
  ["cast forge hardhat", "--private-key --mnemonic"],
  [
    "bitcoin-cli litecoin-cli dogecoin-cli dash-cli zcash-cli",
    "walletpassphrase>@1 encryptwallet>@1 importprivkey>@1 walletpassphrasechange>@1 walletpassphrasechange>@2 sethdseed>@2",
  ],
  ["electrum", "-W restore>@1"],
  ["steamcmd steamcmd.sh", "+login>@2 +login>@3 +set_steam_guard_code!"],
  ["srcds_run srcds_linux hlds_run", "+rcon_password! +sv_password!"],
  ["mcrcon rcon rcon-cli", "-p?"],
  ["xdotool ydotool wtype dotool", "type>@last +--delay"],
  ["ConvertTo-SecureString", "@1 -String"],
  ["cloudflared", "--token"],
  ["cmd.exe runas", "/pass"],
];

export interface Rule {
  /** Words that must stand before, in this order. */
  readonly after: readonly string[];
  readonly kind:
    | "next"
    | "attached"
    | "both"
    | "part"
    | "positional"
    | "last"
    | "keyword"
    | "values"
    | "named"
    | "stdin"
    | "takes";
  readonly name: string;
  /** Of `part`: what stands between user and secret; of a positional: its number. */
  readonly mark: string;
  readonly number: number;
}

export const programs: ReadonlyMap<string, readonly Rule[]> = read();

function read(): Map<string, Rule[]> {
  const known = new Map<string, Rule[]>();
  for (const [names, rules] of table) {
    const parsed = rules.split(" ").map(ruleOf);
    for (const name of names.split(" ")) known.set(name, [...(known.get(name) ?? []), ...parsed]);
  }
  return known;
}

function ruleOf(text: string): Rule {
  const cut = text.lastIndexOf(">");
  const after = cut < 0 ? [] : text.slice(0, cut).split("/");
  const rule = cut < 0 ? text : text.slice(cut + 1);
  const of = (kind: Rule["kind"], name: string, mark = "", number = 0): Rule => ({
    after,
    kind,
    name,
    mark,
    number,
  });
  if (rule === "<") return of("stdin", "");
  if (rule === "~") return of("named", "");
  if (rule === "=*") return of("values", "");
  if (rule === "@last") return of("last", "");
  const positional = /^@(\d)([:/]?)$/.exec(rule);
  if (positional !== null) return of("positional", "", positional[2], Number(positional[1]));
  if (rule.startsWith("+-")) return of("takes", rule.slice(1));
  const last = rule.at(-1) ?? "";
  const name = rule.slice(0, -1);
  if (last === "!") return of("keyword", name.toLowerCase());
  if (last === "*") return of("attached", name);
  if (last === "?") return of("both", name);
  if (":%,".includes(last) && !rule.startsWith("/")) return of("part", name, last);
  return of("next", rule);
}
