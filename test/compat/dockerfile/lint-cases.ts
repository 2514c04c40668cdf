// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have such variables
/** What the checks say of Dockerfiles, as dockerd's BuildKit of today says it: `line Rule: sentence`. */

export interface LintCase {
  name: string;
  dockerfile: string;
  /** .dockerignore */
  ignored?: string;
  arguments?: Record<string, string>;
  target?: string;
  warnings: readonly string[];
  /** Why it cannot be built. */
  error?: string;
}

export const lintCases: readonly LintCase[] = [
  { name: 'nothing to say', dockerfile: 'FROM busybox\nRUN true\n', warnings: [] },
  {
    name: 'stage names in capitals',
    dockerfile: 'FROM busybox AS BadStage\nFROM busybox AS b2\n',
    warnings: ["1 StageNameCasing: Stage name 'BadStage' should be lowercase"],
  },
  {
    name: 'stage names in capitals 2',
    dockerfile: 'FROM busybox AS BadStage\nFROM busybox AS Two\nFROM badstage\n',
    warnings: [
      "1 StageNameCasing: Stage name 'BadStage' should be lowercase",
      "2 StageNameCasing: Stage name 'Two' should be lowercase",
    ],
  },
  {
    name: 'AS beside FROM 1',
    dockerfile: 'FROM busybox as a\n',
    warnings: ["1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"],
  },
  {
    name: 'AS beside FROM 2',
    dockerfile: 'from busybox AS a\n',
    warnings: ["1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"],
  },
  {
    name: 'AS beside FROM 3',
    dockerfile: 'From busybox as a\n',
    warnings: [
      "1 ConsistentInstructionCasing: Command 'From' should match the case of the command majority (uppercase)",
    ],
  },
  {
    name: 'AS beside FROM 4',
    dockerfile: 'FROM busybox As a\n',
    warnings: ["1 FromAsCasing: 'As' and 'FROM' keywords' casing do not match"],
  },
  {
    name: 'empty lines in a continuation',
    dockerfile: 'FROM busybox\nRUN echo \\\n\n  a\n',
    warnings: ['4 NoEmptyContinuation: Empty continuation line'],
  },
  { name: 'empty lines in a continuation 2', dockerfile: 'FROM busybox\nRUN echo \\\n# c\n  a\n', warnings: [] },
  {
    name: 'empty lines in a continuation 3',
    dockerfile: 'FROM busybox\nRUN echo \\\n\n\n  a \\\n\n  b\nRUN true \\\n\n  x\n',
    warnings: ['7 NoEmptyContinuation: Empty continuation line', '10 NoEmptyContinuation: Empty continuation line'],
  },
  {
    name: 'empty lines in a continuation 4',
    dockerfile: 'FROM busybox\nRUN echo \\\n   \n  a\n',
    warnings: ['4 NoEmptyContinuation: Empty continuation line'],
  },
  {
    name: 'letters of instructions 1',
    dockerfile: 'FROM busybox\nrun true\nRUN true\n',
    warnings: [
      "2 ConsistentInstructionCasing: Command 'run' should match the case of the command majority (uppercase)",
    ],
  },
  {
    name: 'letters of instructions 2',
    dockerfile: 'from busybox\nRUN true\nrun true\n',
    warnings: [
      "2 ConsistentInstructionCasing: Command 'RUN' should match the case of the command majority (lowercase)",
    ],
  },
  {
    name: 'letters of instructions 3',
    dockerfile: 'FROM busybox\nRun true\n',
    warnings: [
      "2 ConsistentInstructionCasing: Command 'Run' should match the case of the command majority (uppercase)",
    ],
  },
  {
    name: 'letters of instructions 4',
    dockerfile: 'from busybox\nRUN true\n',
    warnings: [
      "1 ConsistentInstructionCasing: Command 'from' should match the case of the command majority (uppercase)",
    ],
  },
  {
    name: 'letters of instructions 5',
    dockerfile: 'arg X=1\nFROM busybox\nENV a=$X\n',
    warnings: ["3 UndefinedVar: Usage of undefined variable '$X'"],
  },
  { name: 'letters of instructions 6', dockerfile: 'FROM busybox\nENV a=b\nONBUILD run true\n', warnings: [] },
  {
    name: 'stages of one name',
    dockerfile: 'FROM busybox AS a\nFROM busybox AS a\nFROM busybox AS a\n',
    warnings: [
      '2 DuplicateStageName: Duplicate stage name "a", stage names should be unique',
      '3 DuplicateStageName: Duplicate stage name "a", stage names should be unique',
    ],
  },
  {
    name: 'reserved stage names',
    dockerfile: 'FROM busybox AS scratch\nFROM busybox AS context\n',
    warnings: [
      '1 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
      '2 ReservedStageName: Stage name should not use the same name as reserved stage "context"',
    ],
  },
  {
    name: 'reserved stage names 2',
    dockerfile: 'FROM busybox AS Scratch\n',
    warnings: [
      "1 StageNameCasing: Stage name 'Scratch' should be lowercase",
      '1 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
    ],
  },
  {
    name: 'commands for a shell 1',
    dockerfile: 'FROM busybox\nCMD echo\n',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
  },
  {
    name: 'commands for a shell 2',
    dockerfile: 'FROM busybox\nENTRYPOINT echo\n',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
    ],
  },
  { name: 'commands for a shell 3', dockerfile: 'FROM busybox\nSHELL ["/bin/sh","-c"]\nCMD echo\n', warnings: [] },
  { name: 'commands for a shell 4', dockerfile: 'FROM busybox\nHEALTHCHECK CMD echo\n', warnings: [] },
  {
    name: 'commands for a shell 5',
    dockerfile: 'FROM busybox\ncmd echo\n',
    warnings: [
      "2 ConsistentInstructionCasing: Command 'cmd' should match the case of the command majority (uppercase)",
      '2 JSONArgsRecommended: JSON arguments recommended for cmd to prevent unintended behavior related to OS signals',
    ],
  },
  {
    name: 'MAINTAINER',
    dockerfile: 'FROM busybox\nMAINTAINER me\n',
    warnings: ['2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label'],
  },
  {
    name: 'FROM with unknown arguments',
    dockerfile: 'FROM busybox$nope\n',
    warnings: ["1 UndefinedArgInFrom: FROM argument 'nope' is not declared"],
  },
  {
    name: 'FROM with unknown arguments 2',
    dockerfile: 'ARG BASE_IMG=busybox\nFROM ${BASE_IM}busybox\n',
    warnings: ["2 UndefinedArgInFrom: FROM argument 'BASE_IM' is not declared (did you mean BASE_IMG?)"],
  },
  {
    name: 'FROM with unknown arguments 3',
    dockerfile: 'ARG base=busybox\nFROM $bas\n',
    warnings: [
      '2 InvalidDefaultArgInFrom: Default value for ARG $bas results in empty or invalid base image name',
      "2 UndefinedArgInFrom: FROM argument 'bas' is not declared (did you mean base?)",
    ],
    error: 'base name ($bas) should not be blank',
  },
  {
    name: 'FROM with unknown arguments 4',
    dockerfile: 'FROM --platform=$BULIDPLATFORM busybox\n',
    warnings: ["1 UndefinedArgInFrom: FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)"],
    error: 'empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)',
  },
  {
    name: 'FROM with unknown arguments 5',
    dockerfile: 'ARG platform=linux/amd64\nFROM --platform=$platfor busybox\n',
    warnings: ["2 UndefinedArgInFrom: FROM argument 'platfor' is not declared (did you mean platform?)"],
    error: 'empty platform value from expression $platfor (did you mean platform?)',
  },
  { name: 'FROM with unknown arguments 6', dockerfile: 'ARG V\nFROM busybox$V\n', warnings: [] },
  {
    name: 'relative WORKDIR 1',
    dockerfile: 'FROM busybox\nWORKDIR app\n',
    warnings: ['2 WorkdirRelativePath: Relative workdir "app" can have unexpected results if the base image changes'],
  },
  { name: 'relative WORKDIR 2', dockerfile: 'FROM busybox\nWORKDIR /a\nWORKDIR app\n', warnings: [] },
  {
    name: 'relative WORKDIR 3',
    dockerfile: 'FROM busybox\nWORKDIR app\nWORKDIR b\n',
    warnings: ['2 WorkdirRelativePath: Relative workdir "app" can have unexpected results if the base image changes'],
  },
  { name: 'relative WORKDIR 4', dockerfile: 'FROM busybox AS a\nWORKDIR /x\nFROM a\nWORKDIR y\n', warnings: [] },
  {
    name: 'unknown variables 1',
    dockerfile: 'FROM busybox\nCOPY $foo /a\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$foo'"],
  },
  { name: 'unknown variables 2', dockerfile: 'FROM busybox\nARG foo\nCOPY x $foo /a\n', warnings: [] },
  {
    name: 'unknown variables 3',
    dockerfile:
      'FROM busybox\nENV a=$b\nWORKDIR /$c\nUSER $d\nEXPOSE $e 80\nLABEL x=$f\nVOLUME /$g\nSTOPSIGNAL ${h:-9}\n',
    warnings: [
      "2 UndefinedVar: Usage of undefined variable '$b'",
      "3 UndefinedVar: Usage of undefined variable '$c' (did you mean $a?)",
      "4 UndefinedVar: Usage of undefined variable '$d' (did you mean $a?)",
      "6 UndefinedVar: Usage of undefined variable '$f' (did you mean $a?)",
      "7 UndefinedVar: Usage of undefined variable '$g' (did you mean $a?)",
      "8 UndefinedVar: Usage of undefined variable '$h' (did you mean $a?)",
    ],
  },
  {
    name: 'unknown variables 4',
    dockerfile: 'FROM busybox\nENV a=${b:-x} c=${d:+y}\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$b'", "2 UndefinedVar: Usage of undefined variable '$d'"],
  },
  {
    name: 'unknown variables 5',
    dockerfile: 'FROM busybox\nENV DIR_BINARIES=/b\nENV PATH=$PATH:$DIR_BINAIRES\n',
    warnings: ["3 UndefinedVar: Usage of undefined variable '$DIR_BINAIRES' (did you mean $DIR_BINARIES?)"],
  },
  {
    name: 'unknown variables 6',
    dockerfile: 'FROM busybox\nARG a=$zz\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$zz'"],
  },
  {
    name: 'unknown variables 7',
    dockerfile: 'FROM busybox\nENV p=$PAHT\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
  },
  {
    name: 'unknown variables 8',
    dockerfile: 'FROM busybox\nRUN echo $foo\nCMD ["$foo"]\nENTRYPOINT ["$x"]\n',
    warnings: [],
  },
  {
    name: 'unknown variables 9',
    dockerfile: 'FROM busybox\nENV x=$HTTP_PROXY y=$http_proxy z=$TARGETPLATFORM\n',
    warnings: [
      "2 UndefinedVar: Usage of undefined variable '$HTTP_PROXY'",
      "2 UndefinedVar: Usage of undefined variable '$http_proxy'",
      "2 UndefinedVar: Usage of undefined variable '$TARGETPLATFORM'",
    ],
  },
  {
    name: 'unknown variables 10',
    dockerfile: 'FROM busybox\nENV a=$x b=$x c=$y\nENV d=$x\n',
    warnings: [
      "2 UndefinedVar: Usage of undefined variable '$x'",
      "2 UndefinedVar: Usage of undefined variable '$x'",
      "2 UndefinedVar: Usage of undefined variable '$y'",
      "3 UndefinedVar: Usage of undefined variable '$x' (did you mean $a?)",
    ],
  },
  {
    name: 'unknown variables 11',
    dockerfile: 'ARG glob=1\nFROM busybox\nENV a=$glob\n',
    warnings: ["3 UndefinedVar: Usage of undefined variable '$glob'"],
  },
  {
    name: 'unknown variables 12',
    dockerfile: 'FROM busybox\nCOPY <<E /a\n$foo\nE\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$foo'"],
  },
  {
    name: 'unknown variables 14',
    dockerfile: 'FROM busybox\nENV A=1 B=$A\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$A'"],
  },
  {
    name: 'unknown variables 16',
    dockerfile: 'FROM busybox\nENV a=${b#x} c=${d/x/y}\n',
    warnings: ["2 UndefinedVar: Usage of undefined variable '$b'", "2 UndefinedVar: Usage of undefined variable '$d'"],
  },
  {
    name: 'only the last counts 1',
    dockerfile: 'FROM busybox\nCMD ["a"]\nCMD ["b"]\nCMD ["c"]\n',
    warnings: [
      '2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
      '3 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    ],
  },
  {
    name: 'only the last counts 2',
    dockerfile: 'FROM busybox\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]\nHEALTHCHECK CMD ["a"]\nHEALTHCHECK NONE\n',
    warnings: [
      '2 MultipleInstructionsDisallowed: Multiple ENTRYPOINT instructions should not be used in the same stage because only the last one will be used',
      '4 MultipleInstructionsDisallowed: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
    ],
  },
  { name: 'only the last counts 3', dockerfile: 'FROM busybox AS a\nCMD ["a"]\nFROM a\nCMD ["b"]\n', warnings: [] },
  {
    name: 'only the last counts 4',
    dockerfile: 'FROM busybox\nHEALTHCHECK CMD a\nHEALTHCHECK CMD b\n',
    warnings: [
      '2 MultipleInstructionsDisallowed: Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
    ],
  },
  {
    name: 'blank instead of = 1',
    dockerfile: 'FROM busybox\nENV a b\nLABEL x y\nENV c d e\n',
    warnings: [
      '2 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
      '3 LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format',
      '4 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
    ],
  },
  {
    name: 'blank instead of = 2',
    dockerfile: 'FROM busybox\nenv a b\n',
    warnings: [
      "2 ConsistentInstructionCasing: Command 'env' should match the case of the command majority (uppercase)",
      '2 LegacyKeyValueFormat: "env key=value" should be used instead of legacy "env key value" format',
    ],
  },
  {
    name: 'TARGETPLATFORM 1',
    dockerfile: 'FROM --platform=$TARGETPLATFORM busybox\n',
    warnings: [
      '1 RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    ],
  },
  {
    name: 'TARGETPLATFORM 2',
    dockerfile: 'FROM --platform=${TARGETPLATFORM} busybox\n',
    warnings: [
      '1 RedundantTargetPlatform: Setting platform to predefined ${TARGETPLATFORM} in FROM is redundant as this is the default behavior',
    ],
  },
  { name: 'TARGETPLATFORM 3', dockerfile: 'FROM --platform=$BUILDPLATFORM busybox\n', warnings: [] },
  {
    name: 'a platform of its own 1',
    dockerfile: 'FROM --platform=linux/amd64 busybox AS a\n',
    warnings: ['1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"'],
  },
  { name: 'a platform of its own 2', dockerfile: 'FROM --platform=linux/amd64 busybox AS build_amd64\n', warnings: [] },
  { name: 'a platform of its own 3', dockerfile: 'FROM --platform=linux/amd64 busybox AS linux\n', warnings: [] },
  { name: 'a platform of its own 4', dockerfile: 'ARG p=linux/amd64\nFROM --platform=$p busybox\n', warnings: [] },
  {
    name: 'a platform of its own 5',
    dockerfile: 'FROM --platform=linux/amd64 busybox\n',
    warnings: ['1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"'],
  },
  {
    name: 'secrets in ARG and ENV 1',
    dockerfile: 'FROM busybox\nARG PASSWORD\nENV API_KEY=x\nARG super_secret=1\nENV mysecret=1 git_key=x token=1\n',
    warnings: [
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "PASSWORD")',
      '3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "API_KEY")',
      '4 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "super_secret")',
      '5 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "git_key")',
      '5 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "token")',
    ],
  },
  {
    name: 'secrets in ARG and ENV 2',
    dockerfile:
      'FROM busybox\nENV PUBLIC_KEY=x secret_FILE=y TOKEN_VERSION=1 KEYS=1 apikey=1 AUTH_X=1 pword=1 passwd=2 credential=1\n',
    warnings: [
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "secret_FILE")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "TOKEN_VERSION")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "apikey")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "AUTH_X")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "pword")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "passwd")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "credential")',
    ],
  },
  { name: 'secrets in ARG and ENV 3', dockerfile: 'ARG PASSWORD=1\nFROM busybox\n', warnings: [] },
  {
    name: 'secrets in ARG and ENV 4',
    dockerfile: 'FROM busybox\nARG PASSWORD TOKEN=x Y\n',
    warnings: [
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "PASSWORD")',
      '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "TOKEN")',
    ],
  },
  { name: 'base without arguments 1', dockerfile: 'ARG V\nFROM busybox$V\n', warnings: [] },
  {
    name: 'base without arguments 2',
    dockerfile: 'ARG V\nFROM $V\n',
    arguments: { V: 'busybox' },
    warnings: ['2 InvalidDefaultArgInFrom: Default value for ARG $V results in empty or invalid base image name'],
  },
  {
    name: 'base without arguments 3',
    dockerfile: 'ARG V\nFROM busybox:$V\n',
    arguments: { V: 'latest' },
    warnings: [
      '2 InvalidDefaultArgInFrom: Default value for ARG busybox:$V results in empty or invalid base image name',
    ],
  },
  { name: 'base without arguments 4', dockerfile: 'ARG V=latest\nFROM busybox:$V\n', warnings: [] },
  { name: 'base without arguments 5', dockerfile: 'ARG V=\nFROM busybox:${V:-latest}\n', warnings: [] },
  {
    name: 'ignored files 1',
    dockerfile: 'FROM busybox\nCOPY Dockerfile .\nADD Dockerfile /x\nCOPY a b /\n',
    ignored: 'Dockerfile\na\n',
    warnings: [],
  },
  { name: 'ignored files 2', dockerfile: 'FROM busybox\nCOPY a/x .\nCOPY a /a\n', ignored: 'a\n', warnings: [] },
  { name: 'ignored files 3', dockerfile: 'FROM busybox\nCOPY a/x .\n', ignored: 'a\n!a/x\n', warnings: [] },
  { name: 'ignored files 4', dockerfile: 'FROM busybox\nCOPY . .\n', ignored: '*\n', warnings: [] },
  { name: 'ignored files 5', dockerfile: 'FROM busybox\nCOPY *.txt /\n', ignored: '*.txt\n', warnings: [] },
  {
    name: 'ignored files 6',
    dockerfile: 'FROM busybox AS z\nRUN touch /a\nFROM busybox\nCOPY --from=z a /\n',
    ignored: 'a\n',
    warnings: [],
  },
  {
    name: 'ignored files 1, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY Dockerfile .\nADD Dockerfile /x\nCOPY a b /\n',
    ignored: 'Dockerfile\na\n',
    warnings: [
      '3 CopyIgnoredFile: Attempting to Copy file "Dockerfile" that is excluded by .dockerignore',
      '4 CopyIgnoredFile: Attempting to Add file "Dockerfile" that is excluded by .dockerignore',
      '5 CopyIgnoredFile: Attempting to Copy file "a" that is excluded by .dockerignore',
    ],
  },
  {
    name: 'ignored files 6, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox AS z\nRUN touch /a\nFROM busybox\nCOPY --from=z a /\n',
    ignored: 'a\n',
    warnings: [],
  },
  { name: 'ignored files 7', dockerfile: 'FROM busybox\nCOPY ./a/ /x\nCOPY /a /y\n', ignored: 'a\n', warnings: [] },
  {
    name: 'descriptions 1',
    dockerfile: '# check=experimental=all\n# bar something\nARG foo=x\n# base bla\nFROM busybox AS other\n',
    warnings: [
      '3 InvalidDefinitionDescription: Comment for ARG should follow the format: `# foo <description>`',
      '5 InvalidDefinitionDescription: Comment for FROM should follow the format: `# other <description>`',
    ],
  },
  {
    name: 'descriptions 2',
    dockerfile:
      '# check=experimental=InvalidDefinitionDescription\n\n# foo is it\nARG foo=x\n\n# other is that\nFROM busybox AS other\n# wrong\nARG a b\n',
    warnings: ['9 InvalidDefinitionDescription: Comment for ARG should follow the format: `# <arg_key> <description>`'],
  },
  {
    name: 'descriptions 3',
    dockerfile: '# bar something\nARG foo=x\n# base bla\nFROM busybox AS other\n',
    warnings: [],
  },
  {
    name: 'descriptions 4',
    dockerfile: '# check=experimental=all\n# bar something\n\nARG foo=x\n# base bla\n#\nFROM busybox AS other\n',
    warnings: ['4 InvalidDefinitionDescription: Comment for ARG should follow the format: `# foo <description>`'],
  },
  {
    name: 'EXPOSE 1',
    dockerfile: 'FROM busybox\nEXPOSE 80/TCP 81/Udp\n',
    warnings: [
      "2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
      "2 ExposeProtoCasing: Defined protocol '81/Udp' in EXPOSE instruction should be lowercase",
    ],
  },
  {
    name: 'EXPOSE 2',
    dockerfile: 'FROM busybox\nEXPOSE 127.0.0.1:80:80 8080:80 80 :80 90-91:80-81\n',
    warnings: [
      "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
      "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '8080:80'",
      "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '90-91:80-81'",
    ],
  },
  {
    name: 'EXPOSE 3',
    dockerfile: 'FROM busybox\nEXPOSE 80/foo\n',
    warnings: [],
    error: 'invalid port: "80/foo": invalid proto: foo',
  },
  { name: 'EXPOSE 4', dockerfile: 'FROM busybox\nEXPOSE abc\n', warnings: [], error: 'invalid containerPort: abc' },
  {
    name: 'EXPOSE 5',
    dockerfile: 'FROM busybox\nEXPOSE 127.0.0.1:80:80/TCP\n',
    warnings: [
      "2 ExposeProtoCasing: Defined protocol '127.0.0.1:80:80/TCP' in EXPOSE instruction should be lowercase",
      "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80/TCP'",
    ],
  },
  { name: 'check: skip 1', dockerfile: '# check=skip=all\nFROM busybox AS X\nCMD x\n', warnings: [] },
  {
    name: 'check: skip 2',
    dockerfile: '# check=skip=JSONArgsRecommended\nFROM busybox AS X\nCMD x\n',
    warnings: ["2 StageNameCasing: Stage name 'X' should be lowercase"],
  },
  {
    name: 'check: skip 3',
    dockerfile: '# check=skip=JSONArgsRecommended,StageNameCasing;error=true\nFROM busybox AS X\nCMD x\n',
    warnings: [],
  },
  {
    name: 'check: error 1',
    dockerfile: '# check=error=true\nFROM busybox AS X\nCMD x\n',
    warnings: [
      "2 StageNameCasing: Stage name 'X' should be lowercase",
      '3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
    error: 'lint violation found for rules: StageNameCasing, JSONArgsRecommended',
  },
  { name: 'check: error 2', dockerfile: '# check=error=true\nFROM busybox\n', warnings: [] },
  {
    name: 'check: error 3',
    dockerfile: '# check=error=foo\nFROM busybox\nCMD x\n',
    warnings: [],
    error:
      'failed to parse check options: failed to parse check option "error=foo": strconv.ParseBool: parsing "foo": invalid syntax',
  },
  {
    name: 'check: error 4',
    dockerfile: '# check=foo=bar\nFROM busybox\nCMD x\n',
    warnings: [],
    error: 'failed to parse check options: invalid check option "foo"',
  },
  {
    name: 'check: error 5',
    dockerfile: '# check=foo\nFROM busybox\nCMD x\n',
    warnings: [],
    error: 'failed to parse check options: invalid check option "foo"',
  },
  { name: 'check: error 6', dockerfile: '# check=skip=all;error=true\nFROM busybox\nCMD x\n', warnings: [] },
  {
    name: 'check: error 7',
    dockerfile: '# check=error=true\nFROM busybox\nCMD x\nRUN false\n',
    warnings: [
      '3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
    error: 'lint violation found for rules: JSONArgsRecommended',
  },
  {
    name: 'check: error 8',
    dockerfile: '# check= skip = JSONArgsRecommended ; error = true\nFROM busybox AS X\nCMD x\n',
    warnings: [],
    error: 'failed to parse check options: invalid check option "skip"',
  },
  {
    name: 'check: error 9',
    dockerfile: '# check=error=true;skip=x;experimental=all;foo=1\nFROM busybox AS X\nCMD x\n',
    warnings: [
      "2 StageNameCasing: Stage name 'X' should be lowercase",
      '3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
    error: 'lint violation found for rules: StageNameCasing, JSONArgsRecommended',
  },
  {
    name: 'cannot be built 1',
    dockerfile: 'FROM busybox\nFOO x\n',
    warnings: [],
    error: 'dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)',
  },
  {
    name: 'cannot be built 3',
    dockerfile: 'FROM\n',
    warnings: [],
    error: 'dockerfile parse error on line 1: FROM requires either one or three arguments',
  },
  {
    name: 'cannot be built 4',
    dockerfile: 'FROM busybox\nRUN --foo true\nCMD x\n',
    warnings: [],
    error: 'dockerfile parse error on line 2: unknown flag: --foo',
  },
  {
    name: 'cannot be built 6',
    dockerfile: 'FROM busybox\nCOPY a\n',
    warnings: [],
    error:
      'dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
  },
  { name: 'cannot be built 10', dockerfile: 'RUN true\n', warnings: [], error: 'no build stage in current context' },
  {
    name: 'cannot be built 11',
    dockerfile: 'FROM busybox\nCMD x\nENV a=${b!}\n',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
    error: 'failed to process "${b!}": unsupported modifier (!) in substitution',
  },
  {
    name: 'a target 1',
    dockerfile: 'FROM busybox AS a\nCMD x\nFROM busybox AS b\nCMD y\nFROM a AS c\nCMD z\n',
    target: 'c',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
      '6 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
  },
  {
    name: 'a target 2',
    dockerfile: 'FROM busybox AS a\nCMD x\n',
    target: 'nope',
    warnings: [],
    error: 'target stage "nope" could not be found',
  },
  {
    name: 'a target 3',
    dockerfile: 'FROM busybox AS a\nCMD x\nFROM busybox AS b\nCMD y\n',
    target: 'A',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
  },
  {
    name: 'stages that are not needed',
    dockerfile: 'FROM busybox AS a\nCMD x\nFROM busybox AS b\nCOPY $y /\n',
    warnings: [
      '2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
      "4 UndefinedVar: Usage of undefined variable '$y'",
    ],
  },
  {
    name: 'triggers',
    dockerfile: 'FROM busybox AS a\nONBUILD CMD x\nONBUILD ENV a $zz\nFROM a\n',
    warnings: [
      '4 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
      "4 UndefinedVar: Usage of undefined variable '$zz'",
      '4 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
    ],
  },
  {
    name: 'arguments that nobody asks for',
    dockerfile: 'FROM busybox\nRUN true\n',
    arguments: { NOPE: '1' },
    warnings: [],
  },
  {
    name: 'a comment above is no directive',
    dockerfile: 'FROM busybox\n# check=skip=JSONArgsRecommended\nCMD x\n',
    warnings: [
      '3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
  },
  {
    name: 'ignored files 2, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY a/x .\nCOPY a /a\n',
    ignored: 'a\n',
    warnings: [
      '3 CopyIgnoredFile: Attempting to Copy file "a/x" that is excluded by .dockerignore',
      '4 CopyIgnoredFile: Attempting to Copy file "a" that is excluded by .dockerignore',
    ],
  },
  {
    name: 'ignored files 3, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY a/x .\n',
    ignored: 'a\n!a/x\n',
    warnings: [],
  },
  {
    name: 'ignored files 4, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY . .\n',
    ignored: '*\n',
    warnings: ['3 CopyIgnoredFile: Attempting to Copy file "." that is excluded by .dockerignore'],
  },
  {
    name: 'ignored files 5, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY *.txt /\n',
    ignored: '*.txt\n',
    warnings: ['3 CopyIgnoredFile: Attempting to Copy file "*.txt" that is excluded by .dockerignore'],
  },
  {
    name: 'ignored files 7, asked for',
    dockerfile: '# check=experimental=all\nFROM busybox\nCOPY ./a/ /x\nCOPY /a /y\n',
    ignored: 'a\n',
    warnings: ['3 CopyIgnoredFile: Attempting to Copy file "./a/" that is excluded by .dockerignore'],
  },
];
